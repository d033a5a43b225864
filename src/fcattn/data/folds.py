"""Who trains, who validates, who tests: pure functions over speakers; nobody does two of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from fcattn.data.utterance import Utterance
from fcattn.errors import CorpusError


@dataclass(frozen=True)
class Fold:
    """A split by speakers.

    Attributes:
        train: Speakers that the weights learn from.
        validation: Speakers that choose the checkpoint.
        test: Speakers that only judge; may be empty.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse a speaker in two splits, or nobody to train or validate on."""
        everyone = (*self.train, *self.validation, *self.test)
        twice = sorted({name for name in everyone if everyone.count(name) > 1})
        if twice:
            raise CorpusError(f"speaker {twice[0]} stands in two splits of the fold {self}")
        if not self.train or not self.validation:
            raise CorpusError(f"a fold needs speakers to train and to validate on, got {self}")

    def part(self, split: str) -> tuple[str, ...]:
        """Speakers of ``train``, ``validation`` or ``test``."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[split]


def held_out(
    utterances: Sequence[Utterance], validation: Sequence[str], test: Sequence[str] = ()
) -> list[Fold]:
    """One fold: the named speakers validate and test, all others train.

    Raises:
        CorpusError: If a named speaker has no utterance.
    """
    known = speakers(utterances)
    missing = [name for name in (*validation, *test) if name not in known]
    if missing:
        raise CorpusError(f"no utterance of speaker {missing[0]}; speakers: {', '.join(known)}")
    train = tuple(name for name in known if name not in (*validation, *test))
    return [Fold(train, tuple(validation), tuple(test))]


def leave_one_session_out(utterances: Sequence[Utterance]) -> list[Fold]:
    """A fold per session: it tests; one talker of the next session validates, the rest train.

    The validating talker's partner trains, as no talker may stand in two splits. Women and men
    validate in turn.

    Raises:
        CorpusError: If there are fewer than two sessions or an utterance has none.
    """
    sessions = _talkers_by_session(utterances)
    names = list(sessions)
    folds = []
    for number, name in enumerate(names):
        following = sessions[names[(number + 1) % len(names)]]
        validation = following[number % len(following)]
        rest = [talker for other in names if other != name for talker in sessions[other]]
        train = tuple(talker for talker in rest if talker != validation)
        folds.append(Fold(train, (validation,), tuple(sessions[name])))
    return folds


def leave_one_speaker_out(utterances: Sequence[Utterance]) -> list[Fold]:
    """A fold per speaker, who tests; the partner of the session validates, else the next one."""
    known = speakers(utterances)
    if len(known) < 3:
        raise CorpusError(f"leave-one-speaker-out needs 3 speakers, got {', '.join(known)}")
    session = {one.speaker: one.session for one in utterances}
    folds = []
    for number, name in enumerate(known):
        others = known[number + 1 :] + known[:number]
        partners = [other for other in others if session[other] == session[name] is not None]
        validation = (partners or others)[0]
        folds.append(Fold(tuple(n for n in others if n != validation), (validation,), (name,)))
    return folds


def grouped(utterances: Sequence[Utterance], count: int, seed: int = 0) -> list[Fold]:
    """``count`` folds of speakers, women and men spread evenly; the next group validates.

    Raises:
        CorpusError: If there are fewer than three groups, or fewer speakers than groups.
    """
    known = speakers(utterances)
    if not 3 <= count <= len(known):
        raise CorpusError(f"grouped folds: expected 3 to {len(known)} groups, got {count}")
    gender = {one.speaker: one.gender or "" for one in utterances}
    shuffled = sorted(known)
    random.Random(seed).shuffle(shuffled)
    ordered = sorted(shuffled, key=lambda name: gender[name])  # stable: shuffled within a gender
    groups = [sorted(ordered[number::count]) for number in range(count)]
    folds = []
    for number, test in enumerate(groups):
        validation = groups[(number + 1) % count]
        train = tuple(name for name in known if name not in (*test, *validation))
        folds.append(Fold(train, tuple(validation), tuple(test)))
    return folds


def speakers(utterances: Sequence[Utterance]) -> list[str]:
    """Names of all speakers, sorted."""
    return sorted({one.speaker for one in utterances})


def _talkers_by_session(utterances: Sequence[Utterance]) -> dict[str, list[str]]:
    talkers: dict[str, set[str]] = {}
    for one in utterances:
        if one.session is None:
            raise CorpusError(f"leave-one-session-out: utterance {one.id} has no session")
        talkers.setdefault(one.session, set()).add(one.speaker)
    if len(talkers) < 2:
        raise CorpusError(f"leave-one-session-out needs 2 sessions, got {', '.join(talkers)}")
    return {session: sorted(talkers[session]) for session in sorted(talkers)}
