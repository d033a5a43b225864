"""The table of the zoo: a record for every model that has a name."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatch


@dataclass(frozen=True)
class Record:
    """A model that has a name.

    What is known of released weights (labels, licence, training data, figures) stands in their
    ``metrics.json`` and card; what must be known before they are here stands in the record.

    Attributes:
        name: ``ATTENTION-CORPUS``.
        about: One line.
        repository: Where the weights lie on the Hub.
        revision: Tag or commit of them.
        sha256: Of ``model.safetensors``; empty while nobody has released any.
        labels: Class names.
        corpora: What it is trained on.
        licence: Of the weights.
        training: Command that trains it.
        substitute: Model that is loaded while there are no weights of this name.
    """

    name: str
    about: str
    repository: str
    revision: str
    sha256: str
    labels: tuple[str, ...]
    corpora: tuple[str, ...]
    licence: str
    training: str
    substitute: str | None = None


FOUR = ("angry", "happy", "neutral", "sad")

EIGHT = ("angry", "calm", "disgusted", "fearful", "happy", "neutral", "sad", "surprised")


def _of_ravdess(name: str, attention: str, sha256: str) -> Record:
    recipe = f"recipes/ravdess/{name.removesuffix('-ravdess').replace('-', '_')}.yaml"
    return Record(
        name=name,
        about=f"8 emotions, English; {attention}",
        repository=f"fcattn/{name}",
        revision="v1",
        sha256=sha256,
        labels=EIGHT,
        corpora=("RAVDESS",),
        licence="cc-by-nc-sa-4.0",
        training=f"fcattn fit --config {recipe} --data.root RAVDESS",
    )


RECORDS = (
    _of_ravdess(
        "fa-ca-ravdess",
        "Focus- and Calibration-Attention",
        "9c467c1cdfc1dfa5281ececd9b529f1f1fc84cf5627e5166c5f8c7f6739f02c0",
    ),
    _of_ravdess(
        "fa-ravdess",
        "Focus-Attention",
        "8a6155957e820871595ab09b82c54b92c4c899178b9b1d711014dbda76916279",
    ),
    _of_ravdess(
        "mhsa-ravdess",
        "plain self-attention",
        "4d8cc71276fc0887603ac8ae37402f76c295278ae353fdbc911be3318bc3f642",
    ),
    Record(
        name="fa-ca-open4",
        about="4 emotions, English, German and Polish",
        repository="fcattn/fa-ca-open4",
        revision="v1",
        sha256="2fc2d7ddbad8edcfa18246d1330574e309d94ff7931c9cf3a0b2ceddcd19c77d",
        labels=FOUR,
        corpora=("RAVDESS", "EmoDB", "nEMO"),
        licence="cc-by-nc-sa-4.0",
        training="fcattn fit --config recipes/open4/fa_ca.yaml --data.root CORPORA",
    ),
    Record(
        name="fa-ca-iemocap",
        about="4 emotions, English; only a laboratory with the IEMOCAP licence can train it",
        repository="fcattn/fa-ca-iemocap",
        revision="main",
        sha256="",
        labels=FOUR,
        corpora=("IEMOCAP",),
        licence="other",
        training="fcattn fit --config recipes/iemocap/fa_ca.yaml --data.root IEMOCAP_full_release",
        substitute="fa-ca-open4",
    ),
)


def find(name: str) -> Record | None:
    """The record of a name."""
    return next((record for record in RECORDS if record.name == name), None)


def names(pattern: str = "*") -> list[str]:
    """Names that match a shell pattern, sorted.

    Example:
        >>> names("*iemocap")
        ['fa-ca-iemocap']
    """
    return sorted(record.name for record in RECORDS if fnmatch(record.name, pattern))
