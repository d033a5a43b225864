"""RAVDESS: 24 actors, two sentences, eight emotions (Livingstone and Russo, PLoS ONE 2018)."""

from __future__ import annotations

import re
from pathlib import Path

from fcattn.data.utterance import Utterance, find_root, sound_files
from fcattn.errors import CorpusError

EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgusted",
    "08": "surprised",
}
NAME = re.compile(r"0[123]-0[12]-(?P<emotion>0[1-8])-0[12]-0[12]-0[12]-(?P<actor>\d\d)")


def read(root: str | Path) -> list[Utterance]:
    """Read the spoken (not the sung) recordings below ``root``.

    Args:
        root: Folder with ``Actor_01`` … ``Actor_24``, or one level off.

    Raises:
        CorpusError: If the layout or a file name is not that of RAVDESS.
    """
    folder = find_root(root, ["Actor_[0-9][0-9]"], "RAVDESS")
    paths = sound_files(folder, "Actor_[0-9][0-9]/*")
    if not paths:
        raise CorpusError(f"RAVDESS: the Actor folders in {folder} hold no WAV or FLAC file")
    return [_utterance(path) for path in paths if not path.name.startswith("03-02-")]


def _utterance(path: Path) -> Utterance:
    match = NAME.fullmatch(path.stem)
    if match is None:
        raise CorpusError(
            f"RAVDESS: {path} is not named like 03-01-05-01-02-01-16.wav: move it elsewhere"
        )
    actor = match["actor"]
    gender = "female" if int(actor) % 2 == 0 else "male"
    return Utterance(path.stem, path, actor, EMOTIONS[match["emotion"]], gender)
