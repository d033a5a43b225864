"""The numbers of the field, from a confusion matrix, from scores, and from what was attended to.

WA (weighted accuracy) is plain accuracy; UA (unweighted accuracy) is the mean recall over classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Interval(NamedTuple):
    """A figure and the 95 % interval around it."""

    value: float
    low: float
    high: float


def confusion_matrix(truth: ArrayLike, predicted: ArrayLike, classes: int) -> Integers:
    """Counts (classes, classes): row the true class, column the predicted one.

    Example:
        >>> confusion_matrix([0, 0, 1], [0, 1, 1], classes=2).tolist()
        [[1, 1], [0, 1]]
    """
    flat = np.asarray(truth) * classes + np.asarray(predicted)
    return np.bincount(flat, minlength=classes**2).reshape(classes, classes)


def weighted_accuracy(confusion: ArrayLike) -> float:
    """WA: share of utterances that are right, of counts (classes, classes)."""
    counts = np.asarray(confusion, dtype=np.float64)
    return float(counts.trace() / max(counts.sum(), 1))


def unweighted_accuracy(confusion: ArrayLike) -> float:
    """UA: mean recall over the classes that occur, of counts (classes, classes).

    Example:
        >>> unweighted_accuracy([[8, 0], [1, 1]])
        0.75
    """
    counts = np.asarray(confusion, dtype=np.float64)
    total = counts.sum(axis=1)
    return float(np.mean(counts.diagonal()[total > 0] / total[total > 0])) if total.any() else 0.0


def weighted_f1(confusion: ArrayLike) -> float:
    """F1 of each class, weighted by how often the class occurs, of counts (classes, classes)."""
    counts = np.asarray(confusion, dtype=np.float64)
    total, claimed = counts.sum(axis=1), counts.sum(axis=0)
    f1 = 2 * counts.diagonal() / np.maximum(total + claimed, 1)
    return float((f1 * total).sum() / max(total.sum(), 1))


def summary(confusion: ArrayLike) -> dict[str, float]:
    """``UA``, ``WA`` and ``F1`` of counts (classes, classes)."""
    return {
        "UA": unweighted_accuracy(confusion),
        "WA": weighted_accuracy(confusion),
        "F1": weighted_f1(confusion),
    }


def calibration_error(scores: ArrayLike, truth: ArrayLike, bins: int = 15) -> float:
    """Expected calibration error (Guo et al., ICML 2017): mean gap of confidence and accuracy.

    Args:
        scores: Probabilities (utterances, classes).
        truth: True classes (utterances,).
        bins: Bins of equal width.

    Example:
        >>> calibration_error([[1.0, 0.0], [1.0, 0.0]], [0, 1])
        0.5
    """
    probability = np.asarray(scores, dtype=np.float64)
    confidence = probability.max(axis=1)
    right = probability.argmax(axis=1) == np.asarray(truth)
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[place == each].mean() - right[place == each].mean()) * (place == each).mean()
        for each in np.unique(place)
    ]
    return float(np.sum(gaps))


def speaker_interval(
    truth: ArrayLike,
    predicted: ArrayLike,
    speakers: Sequence[str],
    classes: int,
    measure: Callable[[ArrayLike], float] = unweighted_accuracy,
    rounds: int = 2000,
    seed: int = 0,
) -> Interval:
    """A figure with its 95 % bootstrap interval over speakers, who are drawn with replacement.

    Utterances of a speaker are alike; drawing them one by one would make the interval too narrow.

    Args:
        truth: True classes (utterances,).
        predicted: Predicted classes (utterances,).
        speakers: Speaker of each utterance.
        classes: Number of classes.
        measure: Figure of a confusion matrix.
        rounds: Draws.
        seed: Of the draws.
    """
    true, guess, who = np.asarray(truth), np.asarray(predicted), np.asarray(speakers)
    each = np.stack(
        [confusion_matrix(true[who == one], guess[who == one], classes) for one in np.unique(who)]
    )  # (speakers, classes, classes)
    draws = np.random.default_rng(seed).integers(len(each), size=(rounds, len(each)))
    figures = [measure(each[draw].sum(axis=0)) for draw in draws]
    low, high = np.quantile(figures, (0.025, 0.975))
    return Interval(measure(each.sum(axis=0)), float(low), float(high))


class Alignment(NamedTuple):
    """How far attention follows loudness in one utterance, or on average.

    Attributes:
        correlation: Pearson correlation of received attention and level.
        peak_hit: Share of utterances whose most attended frame is at a loudest one.
        focus_hit: Share of focus centres at a loudest frame; ``None`` without FA.
    """

    correlation: float
    peak_hit: float
    focus_hit: float | None


def alignment(
    received: Floats,
    level_db: Floats,
    frame_s: float,
    centres: Floats | None = None,
    within_s: float = 0.1,
    within_db: float = 1.0,
) -> Alignment:
    """Compare where a model looks with where the utterance is loud.

    A frame is at a loudest one if it lies within ``within_s`` of a frame within ``within_db`` of
    the highest level.

    Args:
        received: Attention each frame receives (T,).
        level_db: Smoothed RMS level of each frame (T,).
        frame_s: Time from frame to frame.
        centres: Focus centres as shares of the utterance, any shape.
        within_s: Tolerance in time.
        within_db: Tolerance in level.
    """
    level = np.asarray(level_db, dtype=np.float64)
    loudest = np.flatnonzero(level >= level.max() - within_db)
    reach = within_s / frame_s

    def hit(frames: NDArray[np.float64]) -> NDArray[np.bool_]:
        nearest = np.abs(frames[..., None] - loudest).min(axis=-1)
        return np.asarray(nearest <= reach + 1e-9)

    flat = np.ptp(level) < 1e-9 or np.ptp(received) < 1e-12
    correlation = 0.0 if flat else float(np.corrcoef(received, level)[0, 1])
    peak = float(hit(np.array([float(np.argmax(received))]))[0])
    if centres is None:
        return Alignment(correlation, peak, None)
    return Alignment(correlation, peak, float(hit(centres.ravel() * len(level) - 0.5).mean()))
