"""EmoDB: ten German actors, ten sentences, seven emotions (Burkhardt et al., INTERSPEECH 2005)."""

from __future__ import annotations

import re
from pathlib import Path

from fcattn.data.utterance import Utterance, find_root, sound_files
from fcattn.errors import CorpusError

EMOTIONS = {
    "W": "angry",
    "L": "bored",
    "E": "disgusted",
    "A": "fearful",
    "F": "happy",
    "T": "sad",
    "N": "neutral",
}
WOMEN = ("08", "09", "13", "14", "16")
NAME = re.compile(r"(?P<speaker>\d\d)[ab]\d\d(?P<emotion>[WLEAFTN])[a-z]")


def read(root: str | Path) -> list[Utterance]:
    """Read ``wav/SSTTTEV`` below ``root``: speaker, text, emotion letter, version.

    Args:
        root: Folder that holds ``wav/``, or one level off.

    Raises:
        CorpusError: If the layout or a file name is not that of EmoDB.
    """
    folder = find_root(root, ["wav/[0-9][0-9][ab]*.wav", "wav/[0-9][0-9][ab]*.flac"], "EmoDB")
    return [_utterance(path) for path in sound_files(folder, "wav/*")]


def _utterance(path: Path) -> Utterance:
    match = NAME.fullmatch(path.stem)
    if match is None:
        raise CorpusError(f"EmoDB: {path} is not named like 03a01Fa.wav: move it elsewhere")
    speaker = match["speaker"]
    gender = "female" if speaker in WOMEN else "male"
    return Utterance(path.stem, path, speaker, EMOTIONS[match["emotion"]], gender)
