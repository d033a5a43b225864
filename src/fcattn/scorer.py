"""What answers: probabilities of waveforms, whatever computes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from fcattn.audio import Waveform


class Scorer(Protocol):
    """A model that waveforms can be put to.

    Attributes:
        labels: Class names in the order of the scores.
        rate_hz: Sample rate of the waveforms.
    """

    labels: tuple[str, ...]
    rate_hz: int

    def scores(self, waveforms: Sequence[Waveform]) -> list[list[float]]:
        """Probabilities of waveforms (samples,), in one padded batch: a row for each."""
        ...
