"""How many utterances the corpora have, as their papers and users have counted them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from fcattn.data.iemocap import Turn
from fcattn.data.utterance import Utterance

Tally = dict[str, dict[str, int]]
"""Rows such as ``session 1`` or ``speaker 03``; in each, utterances of a class, and ``all``."""

IEMOCAP_CLASSES = ("neutral", "happy", "excited", "sad", "angry")
"""The usual four, in the order of the published tables; ``happy`` counts the excited turns too."""

_SESSIONS = {  # neutral, happy with excited, excited, sad, angry, all
    "session 1": (384, 278, 143, 194, 229, 1085),
    "session 2": (362, 327, 210, 197, 137, 1023),
    "session 3": (320, 286, 151, 305, 240, 1151),
    "session 4": (258, 303, 238, 143, 327, 1031),
    "session 5": (384, 442, 299, 245, 170, 1241),
    "all": (1708, 1636, 1041, 1084, 1103, 5531),
}
_IMPROVISED = {  # neutral, happy with excited, sad, angry, all
    "session 1, improvised": (223, 132, 104, 62, 521),
    "session 2, improvised": (217, 191, 100, 22, 530),
    "session 3, improvised": (198, 149, 190, 90, 627),
    "session 4, improvised": (174, 195, 81, 84, 534),
    "session 5, improvised": (287, 280, 133, 31, 731),
    "all, improvised": (1099, 947, 608, 289, 2943),
}
_TALKERS = {
    "1F": 528, "1M": 557, "2F": 481, "2M": 542, "3F": 522,
    "3M": 629, "4F": 528, "4M": 503, "5F": 590, "5M": 651,
}  # fmt: skip
_EMODB = {
    "03": 49, "08": 58, "09": 43, "10": 38, "11": 55,
    "12": 35, "13": 61, "14": 69, "15": 56, "16": 71,
}  # fmt: skip
_ACTOR = {
    "neutral": 4, "calm": 8, "happy": 8, "sad": 8, "angry": 8,
    "fearful": 8, "disgusted": 8, "surprised": 8, "all": 60,
}  # fmt: skip

KNOWN: Mapping[str, Tally] = {
    "iemocap": {
        **{
            row: dict(zip((*IEMOCAP_CLASSES, "all"), counts, strict=True))
            for row, counts in _SESSIONS.items()
        },
        **{
            row: dict(zip(("neutral", "happy", "sad", "angry", "all"), counts, strict=True))
            for row, counts in _IMPROVISED.items()
        },
        **{f"speaker {name}": {"all": count} for name, count in _TALKERS.items()},
    },
    "ravdess": {
        **{f"speaker {number:02}": _ACTOR for number in range(1, 25)},
        "all": {name: 24 * count for name, count in _ACTOR.items()},
    },
    "emodb": {
        **{f"speaker {name}": {"all": count} for name, count in _EMODB.items()},
        "all": {
            "angry": 127, "bored": 81, "disgusted": 46, "fearful": 69,
            "happy": 71, "neutral": 79, "sad": 62, "all": 535,
        },
    },
    "nemo": {
        "all": {
            "angry": 749, "fearful": 736, "happy": 749,
            "neutral": 809, "sad": 769, "surprised": 669, "all": 4481,
        },
    },
}  # fmt: skip


def tally(corpus: str, utterances: Sequence[Utterance]) -> Tally:
    """Count utterances in the rows and classes that ``KNOWN`` has.

    Of IEMOCAP, ``all`` counts the usual four classes with excited turns, and ``happy`` counts the
    excited turns too, as the published tables do.
    """
    counts: dict[str, Counter[str]] = {row: Counter() for row in KNOWN[corpus]}
    for one in utterances:
        for row in _rows(one):
            counts.setdefault(row, Counter()).update(_names(corpus, one.label))
    return {row: dict(count) for row, count in counts.items()}


def _rows(one: Utterance) -> list[str]:
    rows = ["all", f"speaker {one.speaker}"]
    if one.session is not None:
        rows.append(f"session {one.session}")
    if isinstance(one, Turn) and one.improvised:
        rows += [f"session {one.session}, improvised", "all, improvised"]
    return rows


def _names(corpus: str, label: str) -> tuple[str, ...]:
    if corpus != "iemocap":
        return (label, "all")
    if label == "excited":
        return ("happy", "excited", "all")
    return (label, "all") if label in IEMOCAP_CLASSES else (label,)
