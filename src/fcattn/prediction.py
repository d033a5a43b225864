"""What a model answers: a label, scores by name, and for long clips what was heard when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Moment:
    """What the model heard in one window.

    Attributes:
        start_s: Begin of the window.
        end_s: End of the window.
        label: Most probable class.
        scores: Probability of each class by name, most probable first.
    """

    start_s: float
    end_s: float
    label: str
    scores: dict[str, float]

    @classmethod
    def of(
        cls, start_s: float, end_s: float, labels: Sequence[str], scores: Sequence[float]
    ) -> Moment:
        """Pair labels and scores."""
        ranked = _ranked(labels, scores)
        return cls(start_s, end_s, next(iter(ranked)), ranked)


@dataclass(frozen=True)
class Prediction:
    """What the model heard.

    Attributes:
        label: Most probable class.
        scores: Probability of each class by name, most probable first; they sum to 1. Of a timeline
            they are the mean over its moments.
        timeline: What was heard when, if it was asked for or the clip is long.

    Example:
        >>> prediction = Prediction.of(("angry", "sad"), [0.25, 0.75])
        >>> prediction.label, prediction.confidence
        ('sad', 0.75)
    """

    label: str
    scores: dict[str, float]
    timeline: tuple[Moment, ...] = ()

    @property
    def confidence(self) -> float:
        """Probability of ``label``."""
        return self.scores[self.label]

    @classmethod
    def of(cls, labels: Sequence[str], scores: Sequence[float]) -> Prediction:
        """Pair labels and scores."""
        ranked = _ranked(labels, scores)
        return cls(next(iter(ranked)), ranked)


def _ranked(labels: Sequence[str], scores: Sequence[float]) -> dict[str, float]:
    """Scores by name, most probable first."""
    return dict(sorted(zip(labels, scores, strict=True), key=lambda pair: -pair[1]))
