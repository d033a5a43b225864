"""Two cross-validations side by side: is one really better on the same utterances?"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from fcattn import judged, metrics
from fcattn.errors import FcattnError
from fcattn.judged import Column, Judged
from fcattn.metrics import Interval

ROUNDS = 10_000
CHUNK = 500
"""Rounds that are drawn together; keeps memory small."""


class Comparison(NamedTuple):
    """B against A on the same utterances and seeds.

    Attributes:
        first: UA of A.
        second: UA of B.
        difference: UA of B minus UA of A, with a 95 % bootstrap interval over speakers.
        p: Permutation p-value: how often A and B, exchanged at random utterance by utterance,
            differ at least as much.
        utterances: Pairs of utterances.
        speakers: Speakers of them.
        seeds: Trainings of each.
    """

    first: float
    second: float
    difference: Interval
    p: float
    utterances: int
    speakers: int
    seeds: int


def compare(first: Path, second: Path) -> Comparison:
    """Compare two ``predictions.csv``.

    Raises:
        FcattnError: If the two were not judged on the same utterances, labels and seeds.
    """
    one, other = (_sorted(judged.read(path)) for path in (first, second))
    _check(first, second, one, other)
    return pair(one, other)


def pair(one: Judged, other: Judged, seed: int = 0) -> Comparison:
    """Compare predictions of the same utterances in the same order."""
    share = _share_of_ua(one)
    gain = (other.predicted == one.truth).astype(float) - (one.predicted == one.truth)
    dice = np.random.default_rng(seed)
    seeds = len(np.unique(one.seeds))
    _, utterance = np.unique(one.utterances, return_inverse=True)
    return Comparison(
        _ua(one),
        _ua(other),
        _bootstrap(one, other, dice),
        _permutation(np.bincount(utterance, share * gain), dice),
        len(np.unique(one.utterances)),
        len(np.unique(one.talkers)),
        seeds,
    )


def _bootstrap(one: Judged, other: Judged, dice: np.random.Generator) -> Interval:
    """Difference of UA, speakers drawn with replacement, the same for both sides."""
    _, speaker = np.unique(one.talkers, return_inverse=True)
    classes = len(one.labels)
    total = _counts(speaker, one.truth, np.ones(len(speaker)), classes)
    gain = (other.predicted == one.truth).astype(float) - (one.predicted == one.truth)
    gained = _counts(speaker, one.truth, gain, classes)  # (speakers, classes)
    found: list[float] = []
    for _ in range(ROUNDS // CHUNK):
        draw = dice.integers(len(total), size=(CHUNK, len(total)))
        all_of, won = total[draw].sum(axis=1), gained[draw].sum(axis=1)  # (rounds, classes)
        recall = np.where(all_of > 0, won / np.maximum(all_of, 1), np.nan)
        found += np.nanmean(recall, axis=1).tolist()
    low, high = np.quantile(found, (0.025, 0.975))
    return Interval(_ua(other) - _ua(one), float(low), float(high))


def _permutation(parts: Column, dice: np.random.Generator) -> float:
    """Share of random exchanges whose difference is at least the observed one.

    Args:
        parts: What each utterance adds to the difference (utterances,); an exchange turns its sign.
        dice: Of the exchanges.
    """
    observed = abs(parts.sum()) - 1e-12
    as_large = 0
    for _ in range(ROUNDS // CHUNK):
        signs = 2.0 * dice.integers(2, size=(CHUNK, len(parts))) - 1
        as_large += int((np.abs(signs @ parts) >= observed).sum())
    return (1 + as_large) / (1 + ROUNDS)


def _share_of_ua(table: Judged) -> Column:
    """What one right answer adds to the UA (N,)."""
    counts = np.bincount(table.truth, minlength=len(table.labels))
    return 1 / (counts[table.truth] * np.count_nonzero(counts))


def _counts(speaker: Column, truth: Column, weight: Column, classes: int) -> Column:
    """Sums (speakers, classes) of a weight (N,)."""
    rows = int(speaker.max()) + 1
    return np.bincount(speaker * classes + truth, weight, rows * classes).reshape(rows, classes)


def _ua(table: Judged) -> float:
    return metrics.unweighted_accuracy(
        metrics.confusion_matrix(table.truth, table.predicted, len(table.labels))
    )


def _sorted(table: Judged) -> Judged:
    order = np.lexsort((table.seeds, table.utterances))
    return table.rows(order)


def _check(first: Path, second: Path, one: Judged, other: Judged) -> None:
    if one.labels != other.labels:
        raise FcattnError(
            f"{first} has the labels {', '.join(one.labels)}, {second} {', '.join(other.labels)}: "
            "compare cross-validations of the same classes"
        )
    here = set(zip(one.utterances.tolist(), one.seeds.tolist(), strict=True))
    there = set(zip(other.utterances.tolist(), other.seeds.tolist(), strict=True))
    if here != there:
        utterance, seed = min(here ^ there)
        raise FcattnError(
            f"{len(here - there)} predictions only in {first}, {len(there - here)} only in "
            f"{second}, first: {utterance} with seed {seed}: run both with the same folds and seeds"
        )
    if (one.truth != other.truth).any():
        place = int(np.flatnonzero(one.truth != other.truth)[0])
        raise FcattnError(f"the two disagree on the truth of {one.utterances[place]}")
