"""nEMO: nine Polish actors, six emotions (Christop, LREC-COLING 2024)."""

from __future__ import annotations

import csv
from pathlib import Path

from fcattn.data.utterance import Utterance, find_root, sound_files
from fcattn.errors import CorpusError

EMOTIONS = {
    "anger": "angry",
    "fear": "fearful",
    "happiness": "happy",
    "neutral": "neutral",
    "sadness": "sad",
    "surprise": "surprised",
}


def read(root: str | Path) -> list[Utterance]:
    """Read ``data.tsv`` and the recordings in ``samples/`` that it lists, matched by stem.

    Args:
        root: Folder that holds ``data.tsv`` and ``samples/``, or one level off.

    Raises:
        CorpusError: If a listed recording is missing, or a recording is not listed.
    """
    folder = find_root(root, ["data.tsv"], "nEMO")
    paths = {path.stem: path for path in sound_files(folder, "samples/*")}
    with (folder / "data.tsv").open(encoding="utf-8-sig", newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    listed = [_utterance(row, paths, folder) for row in rows]
    unlisted = sorted(set(paths) - {utterance.id for utterance in listed})
    if unlisted:
        raise CorpusError(f"nEMO: {len(unlisted)} recordings not in data.tsv, first: {unlisted[0]}")
    return listed


def _utterance(row: dict[str, str], paths: dict[str, Path], folder: Path) -> Utterance:
    try:
        stem = Path(row["file_id"].strip()).stem
        label = EMOTIONS[row["emotion"].strip()]
        speaker, gender = row["speaker_id"].strip(), row["gender"].strip()
    except (KeyError, AttributeError) as error:
        raise CorpusError(
            f"nEMO: {folder / 'data.tsv'}: cannot read {row!r} (no {error}); expected the columns "
            f"file_id, emotion, speaker_id, gender and the emotions {', '.join(EMOTIONS)}"
        ) from None
    if stem not in paths:
        raise CorpusError(f"nEMO: data.tsv lists {stem}, but {folder / 'samples'} does not hold it")
    return Utterance(stem, paths[stem], speaker, label, gender)
