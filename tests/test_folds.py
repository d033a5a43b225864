"""Nobody stands in two splits, and every protocol is what its name says."""

from __future__ import annotations

from pathlib import Path

import pytest

from fcattn.data import folds
from fcattn.data.folds import Fold
from fcattn.data.utterance import Utterance
from fcattn.errors import CorpusError


def corpus(speakers: list[tuple[str, str | None, str | None]]) -> list[Utterance]:
    return [
        Utterance(f"{name}-{number}", Path("x.wav"), name, "sad", gender, session)
        for name, gender, session in speakers
        for number in range(3)
    ]


IEMOCAP = corpus([(f"{n}{g}", g, str(n)) for n in range(1, 6) for g in "FM"])
RAVDESS = corpus([(f"{n:02}", "female" if n % 2 == 0 else "male", None) for n in range(1, 25)])
EMODB = corpus(
    [(name, None, None) for name in ["03", "08", "09", "10", "11", "12", "13", "14", "15", "16"]]
)

PROTOCOLS = {
    "leave one session out": (folds.leave_one_session_out(IEMOCAP), IEMOCAP, 5),
    "leave one speaker out, IEMOCAP": (folds.leave_one_speaker_out(IEMOCAP), IEMOCAP, 10),
    "leave one speaker out, EmoDB": (folds.leave_one_speaker_out(EMODB), EMODB, 10),
    "six groups, RAVDESS": (folds.grouped(RAVDESS, 6), RAVDESS, 6),
    "five groups, RAVDESS 01-20": (folds.grouped(RAVDESS[:60], 5), RAVDESS[:60], 5),
}


@pytest.mark.parametrize("name", PROTOCOLS)
def test_no_speaker_stands_in_two_splits(name: str) -> None:
    found, utterances, count = PROTOCOLS[name]
    everyone = set(folds.speakers(utterances))
    assert len(found) == count
    for fold in found:
        parts = [set(fold.train), set(fold.validation), set(fold.test)]
        assert sum(map(len, parts)) == len(set.union(*parts))
        assert set.union(*parts) == everyone


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_speaker_tests_exactly_once(name: str) -> None:
    found, utterances, _ = PROTOCOLS[name]
    tested = [speaker for fold in found for speaker in fold.test]
    assert sorted(tested) == folds.speakers(utterances)


def test_a_session_tests_and_one_talker_of_another_validates() -> None:
    found = folds.leave_one_session_out(IEMOCAP)
    assert [fold.test for fold in found] == [(f"{n}F", f"{n}M") for n in range(1, 6)]
    for fold in found:
        [talker] = fold.validation
        assert talker[0] != fold.test[0][0]
        assert len(fold.train) == 7
    assert {fold.validation[0][1] for fold in found} == {"F", "M"}


def test_in_ten_folds_the_partner_validates() -> None:
    for fold in folds.leave_one_speaker_out(IEMOCAP):
        assert fold.test[0][0] == fold.validation[0][0]
        assert len(fold.train) == 8


def test_ravdess_groups_hold_two_women_and_two_men() -> None:
    for fold in folds.grouped(RAVDESS, 6):
        for part in (fold.test, fold.validation):
            assert sorted(int(actor) % 2 for actor in part) == [0, 0, 1, 1]


def test_groups_are_the_same_on_every_machine() -> None:
    assert folds.grouped(RAVDESS, 6) == folds.grouped(list(reversed(RAVDESS)), 6)


def test_held_out_speakers_do_not_train() -> None:
    [fold] = folds.held_out(RAVDESS, ["17", "18"], ["23"])
    assert (fold.validation, fold.test) == (("17", "18"), ("23",))
    assert not {"17", "18", "23"} & set(fold.train)
    assert len(fold.train) == 21


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: folds.held_out(RAVDESS, ["99"]), "no utterance of speaker 99; speakers: 01"),
        (lambda: folds.held_out(RAVDESS, ["01"], ["01"]), "speaker 01 stands in two splits"),
        (lambda: Fold(("a",), ("a",), ()), "two splits"),
        (lambda: Fold((), ("a",), ()), "to train and to validate"),
        (lambda: folds.leave_one_session_out(IEMOCAP[:6]), "needs 2 sessions"),
        (lambda: folds.leave_one_session_out(EMODB), "has no session"),
        (lambda: folds.leave_one_speaker_out(EMODB[:6]), "needs 3 speakers"),
        (lambda: folds.grouped(EMODB, 2), "expected 3 to 10 groups"),
    ],
)
def test_an_impossible_split_is_an_error(make: object, words: str) -> None:
    with pytest.raises(CorpusError, match=words):
        make()
