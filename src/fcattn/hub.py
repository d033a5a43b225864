"""A name becomes a checkpoint folder; and the table of the models that have names."""

from __future__ import annotations

import difflib
import json
import warnings
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from fcattn.checkpoint import CONFIG, METRICS, Provenance
from fcattn.errors import ProvenanceWarning, UnknownModelError

LOCAL = Path("checkpoints")
"""Where ``fcattn release`` writes, below the current folder."""


@dataclass(frozen=True)
class Record:
    """A model that has a name.

    Attributes:
        name: ``ATTENTION-CORPUS``.
        about: One line.
        substitute: Model that is loaded while there are no weights of this name.
        training: Command that trains it.
    """

    name: str
    about: str
    substitute: str | None = None
    training: str = ""


def _train(recipe: str, root: str) -> str:
    return f"fcattn fit --config recipes/{recipe}.yaml --data.root {root}"


RECORDS = (
    Record("fa-ca-ravdess", "8 emotions, English", training=_train("ravdess/fa_ca", "RAVDESS")),
    Record(
        "fa-ca-open4",
        "4 emotions, English, German and Polish",
        training=_train("open4/fa_ca", "CORPORA"),
    ),
    Record(
        "fa-ca-iemocap",
        "4 emotions, English; only a laboratory with the IEMOCAP licence can train it",
        substitute="fa-ca-open4",
        training=_train("iemocap/fa_ca", "IEMOCAP_full_release"),
    ),
)


def resolve(name: str, strict: bool = False) -> Path:
    """The checkpoint folder of a model.

    In this order: a folder at that path, ``checkpoints/NAME`` below the current folder, weights
    that came with the package, and for a name without weights its substitute, with a warning.

    Args:
        name: Folder, or name of a model.
        strict: True makes a substitute an error.

    Raises:
        UnknownModelError: If nothing of that name is found, or only a substitute and ``strict``.
    """
    for folder in (Path(name).expanduser(), LOCAL / name, bundled() / name):
        if (folder / CONFIG).is_file() or (folder.is_dir() and folder == Path(name).expanduser()):
            return folder
    record = next((one for one in RECORDS if one.name == name), None)
    if record is None or record.substitute is None:
        raise _unknown(name)
    if not (bundled() / record.substitute).is_dir():
        raise _unknown(name)
    message = _substitution(record)
    if strict:
        raise UnknownModelError(message)
    warnings.warn(message, ProvenanceWarning, stacklevel=3)
    return resolve(record.substitute)


def list_models(pattern: str = "*") -> list[str]:
    """Names of the models, those with a substitute included.

    Args:
        pattern: As of a shell, for example ``*ravdess``.

    Example:
        >>> list_models("*iemocap")
        ['fa-ca-iemocap']
    """
    found = {one.name for one in RECORDS}
    for home in (LOCAL, bundled()):
        found |= {path.parent.name for path in home.glob(f"[!.]*/{CONFIG}")}
    return sorted(name for name in found if fnmatch(name, pattern))


def provenance(folder: Path) -> Provenance:
    """Where the weights of a checkpoint folder come from."""
    about = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    return Provenance.from_dict(about["provenance"])


def bundled() -> Path:
    """Folder of the weights that came with the package, or that lie in its repository."""
    here = Path(__file__).resolve().parent
    installed = here / "checkpoints"
    return installed if installed.is_dir() else here.parents[1] / "checkpoints"


def _substitution(record: Record) -> str:
    """Say which weights a name without weights stands for, and what would make real ones."""
    other = provenance(bundled() / str(record.substitute))
    return (
        f"There are no weights named {record.name} here. The weights of {other.name} stand in for "
        f"them: trained on {', '.join(other.corpora)}, not on IEMOCAP, which is licensed to each "
        f"laboratory. To train the real ones: {record.training}"
    )


def _unknown(name: str) -> UnknownModelError:
    known = list_models()
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return UnknownModelError(
        f"no model or checkpoint folder {name!r}; {hint}models: {', '.join(known)}"
    )
