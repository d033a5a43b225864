"""Compare a corpus folder with what is known of the corpus; reads headers of sound files only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import soundfile

from fcattn.data import emodb, iemocap, nemo, ravdess
from fcattn.data.known import KNOWN, Tally, tally
from fcattn.data.utterance import Utterance

READERS: dict[str, Callable[[str | Path], Sequence[Utterance]]] = {
    "iemocap": iemocap.read,
    "ravdess": ravdess.read,
    "emodb": emodb.read,
    "nemo": nemo.read,
}


class Header(NamedTuple):
    """What the header of a sound file says; ``problem`` if it cannot be read."""

    duration_s: float
    rate_hz: int
    problem: str = ""


class Report(NamedTuple):
    """What a check found.

    Attributes:
        found: Counts in the folder.
        known: Counts of the whole corpus.
        problems: What is wrong, one line each; empty if all agrees.
        notes: What is worth knowing.
    """

    found: Tally
    known: Tally
    problems: list[str]
    notes: list[str]


def check(
    corpus: str, root: str | Path, watch: Callable[[Iterable[Header], int], Iterable[Header]]
) -> Report:
    """Check a corpus.

    Args:
        corpus: ``iemocap``, ``ravdess``, ``emodb`` or ``nemo``.
        root: Its folder.
        watch: Passes headers on as they are read, of so many; for a progress bar.

    Raises:
        CorpusError: If the folder does not hold the corpus, or a label file cannot be read.
    """
    utterances = READERS[corpus](root)
    known = dict(KNOWN[corpus])
    notes = []
    if corpus == "iemocap":
        notes.append("happy and all count the excited turns too")
        standin = iemocap.standin(root)
        if standin is not None:
            known = dict(standin["counts"])
            notes.append(f"This is not IEMOCAP: {standin['about']}")
    found = tally(corpus, utterances)
    with ThreadPoolExecutor(4) as pool:
        work = pool.map(read_header, (one.path for one in utterances))
        headers = list(watch(work, len(utterances)))
    broken = [header.problem for header in headers if header.problem]
    unlabelled = iemocap.unlabelled(root, utterances) if corpus == "iemocap" else []
    problems = [
        *differences(known, found),
        *broken,
        *(f"{path}: a recording without a label" for path in unlabelled),
    ]
    return Report(found, known, problems, [*notes, *_summary(headers), *_others(known, found)])


def differences(known: Tally, found: Tally) -> list[str]:
    """Every row and class whose count is not the known one, and rows nobody knows."""
    lines = []
    for row, counts in known.items():
        if not found.get(row) and counts.get("all"):
            lines.append(f"{row}: expected {counts['all']} utterances, found none")
            continue
        for name, expected in counts.items():
            got = found.get(row, {}).get(name, 0)
            if got != expected:
                lines.append(f"{row}, {name}: expected {expected} utterances, found {got}")
    speakers = {row for row in known if row.startswith("speaker ")}
    if speakers:
        strangers = sorted(
            row for row in found if row.startswith("speaker ") and row not in speakers
        )
        lines += [f"{row}: not known in this corpus" for row in strangers]
    return lines


def read_header(path: Path) -> Header:
    """Duration and rate of a sound file, from its header."""
    if not path.is_file():
        return Header(0.0, 0, f"{path}: missing")
    try:
        info = soundfile.info(str(path))
    except soundfile.SoundFileError as error:
        return Header(0.0, 0, f"{path}: cannot be read ({error})")
    if not info.frames:
        return Header(0.0, info.samplerate, f"{path}: holds no samples")
    return Header(info.frames / info.samplerate, info.samplerate)


def _summary(headers: Sequence[Header]) -> list[str]:
    durations = sorted(one.duration_s for one in headers if not one.problem)
    if not durations:
        return []
    rates = ", ".join(f"{rate} Hz" for rate in sorted({one.rate_hz for one in headers} - {0}))
    return [
        f"{len(durations)} sound files, {sum(durations) / 3600:.2f} h at {rates}; "
        f"{durations[0]:.2f} s to {durations[-1]:.1f} s, median "
        f"{durations[len(durations) // 2]:.2f} s"
    ]


def _others(known: Tally, found: Tally) -> list[str]:
    """Labels that the table does not show, as those of IEMOCAP beyond the usual classes."""
    shown = {name for row in known.values() for name in row}
    counts = {name: count for name, count in found.get("all", {}).items() if name not in shown}
    if not counts:
        return []
    return ["other labels: " + ", ".join(f"{count} {name}" for name, count in counts.items())]
