"""A name becomes a checkpoint folder: from disk, from the cache, or from the Hugging Face Hub."""

from __future__ import annotations

import difflib
import hashlib
import re
import warnings
from fnmatch import fnmatch
from pathlib import Path

from fcattn import checkpoint, zoo
from fcattn.checkpoint import CONFIG, WEIGHTS
from fcattn.errors import CheckpointError, HubError, ProvenanceWarning, UnknownModelError
from fcattn.zoo import Record

LOCAL = Path("checkpoints")
"""Where ``fcattn release`` writes, below the current folder."""

REPOSITORY = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+?)(@(?P<revision>[\w./-]+))?")


def resolve(name: str, revision: str | None = None, strict: bool = False) -> Path:
    """The checkpoint folder of a model.

    In this order: a folder at that path; a known name: ``checkpoints/NAME`` below the current
    folder, weights that came with the package, the cache, the Hub, its substitute with a warning;
    then ``owner/repo[@revision]``, from the cache or the Hub. Weights that are here never touch the
    network.

    Args:
        name: Folder, name of a model, or repository.
        revision: Branch, tag or commit of a repository.
        strict: True makes a substitute an error.

    Raises:
        UnknownModelError: If nothing of that name is found, or only a substitute and ``strict``.
        HubError: If a repository cannot be reached and the cache does not hold it.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    own = _own(name)
    if own is not None:
        return own
    record = zoo.find(name)
    if record is not None:
        return _known(record, revision, strict)
    match = REPOSITORY.fullmatch(name)
    if match is None:
        raise _unknown(name)
    from fcattn import remote  # late: huggingface_hub takes a while, and most names are on disk

    return remote.pull(match["repo"], revision or match["revision"] or "main")


def at_hand(name: str) -> Path | None:
    """The folder of a known name, on disk or in the cache; asks nobody and takes no substitute."""
    own, record = _own(name), zoo.find(name)
    if own is not None or record is None:
        return own
    from fcattn import remote

    return remote.cached(record.repository, record.revision)


def list_models(pattern: str = "*") -> list[str]:
    """Names of the models, those with a substitute and those of your own included.

    Args:
        pattern: As of a shell, for example ``*ravdess``.

    Example:
        >>> list_models("*iemocap")
        ['fa-ca-iemocap']
    """
    own = {path.parent.name for home in (LOCAL, bundled()) for path in home.glob(f"[!.]*/{CONFIG}")}
    return sorted({*zoo.names(pattern), *(name for name in own if fnmatch(name, pattern))})


def bundled() -> Path:
    """Folder of the weights that came with the package, or that lie in its repository."""
    here = Path(__file__).resolve().parent
    installed = here / "checkpoints"
    return installed if installed.is_dir() else here.parents[1] / "checkpoints"


def _own(name: str) -> Path | None:
    homes = (LOCAL / name, bundled() / name)
    return next((folder for folder in homes if (folder / CONFIG).is_file()), None)


def _known(record: Record, revision: str | None, strict: bool) -> Path:
    """Weights of the zoo that are not on disk."""
    from fcattn import remote

    try:
        folder = remote.pull(record.repository, revision or record.revision)
    except HubError:
        if record.substitute is None:
            raise
    else:
        _verify(folder, record)
        return folder
    message = _substitution(record)
    if strict:
        raise UnknownModelError(message)
    warnings.warn(message, ProvenanceWarning, stacklevel=4)
    return resolve(record.substitute)


def _verify(folder: Path, record: Record) -> None:
    """Refuse weights that are not those of the record."""
    if not record.sha256:
        return
    found = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    if found != record.sha256:
        raise CheckpointError(
            f"{record.name}: the weights of {record.repository} have the sha256 {found}, expected "
            f"{record.sha256}: they were damaged or changed; delete {folder} and load again"
        )


def _substitution(record: Record) -> str:
    """Say which weights a name without weights stands for, and what would make real ones."""
    other = checkpoint.read_provenance(bundled() / str(record.substitute))
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
        f"no model or checkpoint folder {name!r}; {hint}models: {', '.join(known)}; "
        "or a repository of the Hub: owner/repo, owner/repo@revision"
    )
