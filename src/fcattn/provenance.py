"""What weights are and where they come from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fcattn.errors import CheckpointError


@dataclass(frozen=True)
class Provenance:
    """What weights are and where they come from.

    Attributes:
        name: Name of the model.
        corpora: Corpora that it was trained on.
        languages: Their languages, as ISO 639-1 codes.
        licence: Licence of the weights, as an SPDX identifier in lower case.
        trained_on: Speakers that the weights learnt from.
        validated_on: Speakers that chose the checkpoint and the temperature.
        tested_on: Speakers that only judged.
        recipe: Settings of the training.
        seed: Of the training.
        versions: Of fcattn, torch and the commit.
        note: What else a user must know.
    """

    name: str
    corpora: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    licence: str = ""
    trained_on: tuple[str, ...] = ()
    validated_on: tuple[str, ...] = ()
    tested_on: tuple[str, ...] = ()
    recipe: str = ""
    seed: int = 0
    versions: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Provenance:
        """Build from plain data.

        Raises:
            CheckpointError: If a key is unknown or the name is missing.
        """
        if not isinstance(values, Mapping):
            raise CheckpointError(f"provenance: expected an object, got {values!r}")
        known = {one.name for one in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown or "name" not in values:
            raise CheckpointError(
                f"provenance: unknown key {unknown[0]!r}" if unknown else "provenance: no name"
            )
        pairs: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
        }
        whole, plain = cls(**pairs), cls("")
        for one in dataclasses.fields(cls):
            got, like = getattr(whole, one.name), type(getattr(plain, one.name))
            texts = got.values() if like is dict else got if like is tuple else ()
            if not isinstance(got, like) or not all(isinstance(text, str) for text in texts):
                raise CheckpointError(f"provenance: {one.name}: expected {like.__name__} of text")
        return whole
