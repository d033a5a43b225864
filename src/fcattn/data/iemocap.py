"""IEMOCAP: five sessions of a woman and a man, acted dialogues (Busso et al., LREC 2008).

The corpus is licensed to each laboratory by its makers; this reads what they hand out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fcattn.data.utterance import Utterance, find_root, sound_files, visible
from fcattn.errors import CorpusError

EMOTIONS = {
    "ang": "angry",
    "hap": "happy",
    "exc": "excited",
    "neu": "neutral",
    "sad": "sad",
    "fru": "frustrated",
    "sur": "surprised",
    "fea": "fearful",
    "dis": "disgusted",
    "oth": "other",
    "xxx": "undecided",
}
"""Every code of the corpus; which of them are classes is the data module's choice."""

GENDERS = {"F": "female", "M": "male"}

TURN = re.compile(
    r"\[(?P<start>[\d.]+) - (?P<end>[\d.]+)\]\t(?P<turn>\S+)\t(?P<code>[a-z]{3})\t"
    r"\[(?P<valence>[\d.]+), (?P<activation>[\d.]+), (?P<dominance>[\d.]+)\]"
)
NAME = re.compile(r"Ses(?P<session>0\d)[FM]_(?P<kind>impro|script)\w*_(?P<talker>[FM])\d+")

SESSION = "Session[1-5]"
STANDIN = "STAND-IN.json"
"""A file that a folder holds which is laid out like IEMOCAP and is not IEMOCAP."""


@dataclass(frozen=True)
class Turn(Utterance):
    """An utterance of a dialogue.

    Attributes:
        dialogue: For example ``Ses05M_script01_1b``.
        improvised: True for improvised, False for scripted dialogues.
        start_s: Begin within the dialogue.
        end_s: End within the dialogue.
        valence: Mean rating, 1 (negative) to 5.
        activation: Mean rating, 1 (calm) to 5.
        dominance: Mean rating, 1 (weak) to 5.
    """

    dialogue: str = ""
    improvised: bool = False
    start_s: float = 0.0
    end_s: float = 0.0
    valence: float = 0.0
    activation: float = 0.0
    dominance: float = 0.0


def read(root: str | Path) -> list[Turn]:
    """Read every labelled turn below ``root``, of all eleven codes.

    Args:
        root: ``IEMOCAP_full_release``, the folder around it, or a folder of ``SessionN``.

    Raises:
        CorpusError: If there is no session, or a label file cannot be read to its end.
    """
    folder = find_root(root, [SESSION], "IEMOCAP")
    sessions = sorted(path for path in folder.glob(SESSION) if path.is_dir())
    files = [path for session in sessions for path in _label_files(session)]
    if not files:
        raise CorpusError(f"IEMOCAP: no dialog/EmoEvaluation/Ses*.txt in the sessions of {folder}")
    return [turn for path in files for turn in _turns(path)]


def unlabelled(root: str | Path, turns: Sequence[Utterance]) -> list[Path]:
    """Recordings of sentences that no label file has a turn for."""
    folder = find_root(root, [SESSION], "IEMOCAP")
    known = {turn.path for turn in turns}
    recordings = sound_files(folder, f"{SESSION}/sentences/wav/*/*")
    return [path for path in recordings if path not in known]


def standin(root: str | Path) -> dict[str, Any] | None:
    """What a stand-in says of itself; ``None`` for a folder that does not call itself one."""
    given = Path(root).expanduser()
    if not given.is_dir():
        return None
    path = find_root(given, [SESSION], "IEMOCAP") / STANDIN
    if not path.is_file():
        return None
    about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return about


def _label_files(session: Path) -> list[Path]:
    return sorted(filter(visible, session.glob("dialog/EmoEvaluation/Ses*.txt")))


def _turns(labels: Path) -> Iterator[Turn]:
    """Turns of one label file; other lines are ratings of single evaluators, notes, or blank."""
    text = labels.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.startswith("[") or not line[1:2].isdigit():
            continue
        match = TURN.fullmatch(line.strip())
        name = NAME.fullmatch(match["turn"]) if match else None
        if match is None or name is None or match["code"] not in EMOTIONS:
            raise CorpusError(
                f"IEMOCAP: {labels}, line {number}: expected a turn such as "
                f"'[6.29 - 8.23]⇥Ses01F_impro01_F000⇥neu⇥[2.5, 2.5, 2.5]', got {line!r}; "
                "is the file cut off?"
            )
        yield _turn(labels, match, name)


def _turn(labels: Path, match: re.Match[str], name: re.Match[str]) -> Turn:
    turn = match["turn"]
    dialogue = turn.rpartition("_")[0]
    session = labels.parents[2]
    return Turn(
        id=turn,
        path=session / "sentences" / "wav" / dialogue / f"{turn}.wav",
        speaker=f"{int(name['session'])}{name['talker']}",
        label=EMOTIONS[match["code"]],
        gender=GENDERS[name["talker"]],
        session=str(int(name["session"])),
        dialogue=dialogue,
        improvised=name["kind"] == "impro",
        start_s=float(match["start"]),
        end_s=float(match["end"]),
        valence=float(match["valence"]),
        activation=float(match["activation"]),
        dominance=float(match["dominance"]),
    )
