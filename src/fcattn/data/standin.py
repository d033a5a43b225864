"""A stand-in for IEMOCAP: other speech, or tones, in its exact layout, to prove the way on.

No sound, word or label of IEMOCAP is in it, and it says so in ``STAND-IN.json``. The odd things of
the original are there: talkers whose letter is not that of the file, dialogues named
``Ses03M_impro05a`` and ``Ses05M_script01_1b``, evaluators' lines, hidden files, turns whose
evaluators did not agree.
"""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import soundfile

from fcattn import audio
from fcattn.audio import Waveform
from fcattn.data import iemocap, ravdess, synthetic
from fcattn.data.iemocap import GENDERS
from fcattn.data.known import IEMOCAP_CLASSES, Tally, tally
from fcattn.data.utterance import Utterance
from fcattn.errors import CorpusError

RATE_HZ = 16_000
PER_TURN_S = 0.8
"""Silence between turns of a dialogue."""

DIALOGUES = ("{s}F_impro01", "{s}M_impro02", "{s}F_script01_1", "{s}M_script02_2")
ODD_DIALOGUES = {3: ("Ses03M_impro05a", "Ses03M_impro05b"), 5: ("Ses05M_script01_1b",)}

CODES = {
    "angry": ("ang",),
    "happy": ("hap", "exc"),
    "neutral": ("neu",),
    "calm": ("neu",),
    "sad": ("sad", "sad", "sad", "sad", "sad", "sad", "sad", "xxx"),
    "fearful": ("fea",),
    "surprised": ("sur",),
    "disgusted": ("dis", "fru"),
}
"""What the recordings of a class are called, in turn."""

RATINGS = {"ang": (2.0, 4.0, 4.0), "hap": (4.0, 3.5, 3.0), "exc": (4.5, 4.0, 3.5)}
"""Valence, activation and dominance of some codes; 2.5 of the others."""

EVALUATORS = ("C-E1", "C-E2", "C-E4")


class Clip(NamedTuple):
    """A recording on its way into a dialogue; ``sound`` reads or makes its samples at 16 kHz."""

    code: str
    talker: str
    text: str
    sound: Callable[[], Waveform]


def write(
    out: str | Path,
    source: str | Path | None = None,
    watch: Callable[[Iterable[int], int], Iterable[int]] = lambda items, total: items,
) -> Path:
    """Write a stand-in; the folder appears whole or not at all.

    Args:
        out: Folder to make.
        source: Folder of RAVDESS; ``None`` makes tones.
        watch: Passes sessions on as they are written, of so many; for a progress bar.

    Raises:
        CorpusError: If ``out`` is there already, or RAVDESS lacks women or men.
    """
    target = Path(out).expanduser().absolute()
    if target.exists():
        raise CorpusError(f"{target} is there already: choose another folder or remove it")
    clips = _tones() if source is None else _speech(ravdess.read(source))
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        for session in watch(range(1, 6), 5):
            _write_session(
                partial, session, [one for one in clips if one.talker[0] == f"{session}"]
            )
        made_of = "tones" if source is None else "recordings of RAVDESS"
        about = {
            "about": f"{made_of} in the layout of IEMOCAP, made by fcattn make-standin; no sound, "
            "word or label of IEMOCAP is in it, and figures on it say nothing of IEMOCAP",
            "counts": _usual(tally("iemocap", iemocap.read(partial))),
        }
        text = json.dumps(about, indent=2)
        (partial / iemocap.STANDIN).write_text(text + "\n", encoding="utf-8")
        partial.chmod(0o755)
        partial.replace(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def _usual(counts: Tally) -> Tally:
    """Counts of the usual classes, as they are known of IEMOCAP."""
    names = (*IEMOCAP_CLASSES, "all")
    return {row: {name: count.get(name, 0) for name in names} for row, count in counts.items()}


def _speech(utterances: Sequence[Utterance]) -> list[Clip]:
    """Five women and five men of RAVDESS."""
    talkers: dict[str, str] = {}
    for letter, gender in GENDERS.items():
        actors = sorted({one.speaker for one in utterances if one.gender == gender})[:5]
        if len(actors) < 5:
            raise CorpusError(f"a stand-in needs 5 {gender} speakers, found {len(actors)}")
        talkers |= {actor: f"{session}{letter}" for session, actor in enumerate(actors, start=1)}
    clips: list[Clip] = []
    seen: dict[tuple[str, str], int] = {}
    for one in utterances:
        if one.speaker not in talkers:
            continue
        names = CODES[one.label]
        number = seen[one.speaker, one.label] = seen.get((one.speaker, one.label), -1) + 1
        text = "Kids are talking by the door." if one.id[13] == "1" else "Dogs are sitting there."
        clips.append(
            Clip(names[number % len(names)], talkers[one.speaker], text, _reader(one.path))
        )
    return clips


def _tones(of_each: int = 4) -> list[Clip]:
    """Tones of the usual classes for ten talkers, and a few of other labels."""
    usual, clips = ("ang", "hap", "neu", "sad"), []
    for session in range(1, 6):
        for letter in GENDERS:
            for number in range(of_each * len(usual)):
                place = number % len(usual)
                code = usual[place] if number != 1 else "exc"
                seed = (session * 2 + (letter == "M")) * 1_000 + number
                clips.append(Clip(code, f"{session}{letter}", "–", _toner(place, seed)))
            clips += [
                Clip(code, f"{session}{letter}", "–", _toner(3, session * 7))
                for code in ("fru", "xxx", "sur")
            ]
    return clips


def _reader(path: Path) -> Callable[[], Waveform]:
    return lambda: audio.load(path, RATE_HZ)


def _toner(place: int, seed: int) -> Callable[[], Waveform]:
    return lambda: synthetic.tone(place, 4, seed)


def _write_session(root: Path, session: int, clips: Sequence[Clip]) -> None:
    """Deal the clips of two talkers out to the dialogues of a session."""
    prefix = f"Ses0{session}"
    names = [name.format(s=prefix) for name in DIALOGUES] + list(ODD_DIALOGUES.get(session, ()))
    order = list(clips)
    random.Random(session).shuffle(order)
    for place, name in enumerate(names):
        _write_dialogue(root / f"Session{session}", name, order[place :: len(names)])


def _write_dialogue(session: Path, dialogue: str, clips: Sequence[Clip]) -> None:
    """Recordings, labels and transcription of one dialogue."""
    sentences = session / "sentences" / "wav" / dialogue
    sentences.mkdir(parents=True)
    labels = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""]
    words, begin_s = [], PER_TURN_S
    for number, clip in enumerate(clips):
        turn = f"{dialogue}_{clip.talker[1]}{number:03}"
        samples = clip.sound()
        soundfile.write(sentences / f"{turn}.wav", samples, RATE_HZ, subtype="PCM_16")
        end_s = begin_s + len(samples) / RATE_HZ
        labels += _label_lines(turn, clip.code, begin_s, end_s)
        words.append(f"{turn} [{begin_s:08.4f}-{end_s:08.4f}]: {clip.text}")
        begin_s = end_s + PER_TURN_S
    _write_lines(session / "dialog" / "EmoEvaluation" / f"{dialogue}.txt", labels)
    _write_lines(session / "dialog" / "transcriptions" / f"{dialogue}.txt", words)
    (sentences / f"._{dialogue}.wav").write_bytes(b"\x00\x05\x16\x07")


def _label_lines(turn: str, code: str, begin_s: float, end_s: float) -> list[str]:
    """The line of a turn and those of its evaluators, as in ``EmoEvaluation``."""
    valence, activation, dominance = RATINGS.get(code, (2.5, 2.5, 2.5))
    ratings = f"[{valence:.4f}, {activation:.4f}, {dominance:.4f}]"
    return [
        f"[{begin_s:.4f} - {end_s:.4f}]\t{turn}\t{code}\t{ratings}",
        *(f"{name}:\t{iemocap.EMOTIONS[code].capitalize()};\t()" for name in EVALUATORS),
        *(
            f"A-E{number}:\tval {valence:.0f}; act {activation:.0f}; dom  {dominance:.0f};\t()"
            for number in (1, 2)
        ),
        "",
    ]


def _write_lines(path: Path, lines: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
