"""One utterance of a corpus, and how a corpus folder is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fcattn.errors import CorpusError

SOUND = (".wav", ".flac")
"""File endings that the readers take."""


@dataclass(frozen=True)
class Utterance:
    """One labelled recording.

    Attributes:
        id: Unique within its corpus.
        path: Sound file.
        speaker: Talker, unique within its corpus.
        label: Class name.
        gender: ``female`` or ``male`` as the corpus says.
        session: Recording session, where the corpus has sessions.
    """

    id: str
    path: Path
    speaker: str
    label: str
    gender: str | None = None
    session: str | None = None


def find_root(root: str | Path, patterns: Sequence[str], corpus: str) -> Path:
    """The folder in which a corpus lies: ``root``, a folder in it, or the folder around it.

    Args:
        root: What the user gave.
        patterns: Glob patterns relative to the corpus folder; one that matches is enough.
        corpus: Name for the error.

    Raises:
        CorpusError: If no such folder is near ``root``.
    """
    given = Path(root).expanduser()
    if not given.is_dir():
        raise CorpusError(f"{corpus}: {given} is not a folder")
    inside = sorted(path for path in given.iterdir() if path.is_dir() and visible(path))
    for folder in (given, *inside, given.absolute().parent):
        if any(visible(path) for pattern in patterns for path in folder.glob(pattern)):
            return folder
    raise CorpusError(
        f"{corpus}: expected {' or '.join(patterns)} in {given}; found {_contents(given)}. "
        "Give the folder that holds the corpus as data.root"
    )


def sound_files(folder: Path, pattern: str) -> list[Path]:
    """Visible WAV and FLAC files that match, sorted by name; one file for a stem.

    Raises:
        CorpusError: If a recording is there twice, as WAV and as FLAC.
    """
    found: dict[Path, Path] = {}
    for path in sorted(folder.glob(pattern)):
        if path.suffix.lower() not in SOUND or not visible(path):
            continue
        twin = found.setdefault(path.with_suffix(""), path)
        if twin != path:
            raise CorpusError(f"{twin} and {path.name} are the same recording: remove one of them")
    return list(found.values())


def visible(path: Path) -> bool:
    """False for ``.DS_Store``, ``._name`` and other hidden files."""
    return not path.name.startswith(".")


def _contents(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir())
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "") if names else "nothing"
