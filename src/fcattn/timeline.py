"""Long and live sound: windows as they come, and what was heard in each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from fcattn import audio
from fcattn.audio import Resampler, Waveform
from fcattn.errors import AudioError
from fcattn.prediction import Moment, Prediction
from fcattn.scorer import Scorer
from fcattn.sources import Samples, from_array

WINDOW_S, HOP_S = 3.0, 1.0
"""The clips that the models learnt from are about that long."""

BATCH = 16
"""Windows that are scored together."""


class Window(NamedTuple):
    """A part of a stream: first and last sample of it, and the samples between."""

    start: int
    end: int
    samples: Waveform


class Windows:
    """Cut a stream: at every hop, what the last ``size`` samples were.

    Args:
        size: Longest window in samples; the first ones are shorter.
        hop: Samples from one window to the next.

    Example:
        >>> windows = Windows(size=3, hop=2)
        >>> [one.samples.tolist() for one in windows.push(np.arange(5.0))]
        [[0.0, 1.0], [1.0, 2.0, 3.0]]
        >>> [one.samples.tolist() for one in windows.finish()]
        [[2.0, 3.0, 4.0]]
    """

    def __init__(self, size: int, hop: int) -> None:
        self.size, self.hop = size, hop
        self.kept = np.zeros(0, np.float32)  # the last samples
        self.heard = 0  # samples in all
        self.due = hop  # end of the next window

    def push(self, samples: Waveform) -> Iterator[Window]:
        """Take in more samples (any,); gives the windows that they complete."""
        self.kept = np.concatenate((self.kept, samples))
        self.heard += len(samples)
        while self.due <= self.heard:
            yield self._until(self.due)
            self.due += self.hop
        self.kept = self.kept[-self.size :]

    def finish(self) -> Iterator[Window]:
        """The last window, if samples came after the last hop."""
        if self.heard > self.due - self.hop:
            yield self._until(self.heard)

    def _until(self, end: int) -> Window:
        start = max(0, end - self.size)
        offset = self.heard - len(self.kept)
        return Window(start, end, self.kept[start - offset : end - offset])


def listen(scorer: Scorer, blocks: Iterable[Waveform], window_s: float, hop_s: float) -> Prediction:
    """Predict a clip of any length, window by window, in memory that does not grow with it.

    Args:
        scorer: What answers.
        blocks: The clip at the rate of the scorer.
        window_s: Length of the windows.
        hop_s: Time from one to the next.

    Returns:
        The mean over the windows, with a timeline.
    """
    windows = _windows(scorer, window_s, hop_s)
    moments: list[Moment] = []
    pending: list[Window] = []
    for window in _all(windows, blocks):
        pending.append(window)
        if len(pending) == BATCH:
            moments += _score(scorer, pending)
            pending = []
    moments += _score(scorer, pending)
    labels = scorer.labels
    mean = np.mean([[moment.scores[name] for name in labels] for moment in moments], axis=0)
    whole = Prediction.of(labels, mean.tolist())
    return Prediction(whole.label, whole.scores, tuple(moments))


class Stream:
    """Live sound in chunks of any size; a ``Moment`` for every hop.

    Args:
        scorer: What answers.
        sample_rate_hz: Rate of the chunks.
        window_s: Longest part of the past that a moment is about.
        hop_s: Time from one moment to the next.
    """

    def __init__(
        self,
        scorer: Scorer,
        sample_rate_hz: int,
        window_s: float = WINDOW_S,
        hop_s: float = HOP_S,
    ) -> None:
        if not sample_rate_hz > 0:
            raise AudioError(f"expected a sample rate above 0 Hz, got {sample_rate_hz}")
        self.scorer = scorer
        rate_hz = scorer.rate_hz
        self.resampler = None if sample_rate_hz == rate_hz else Resampler(sample_rate_hz, rate_hz)
        self.windows = _windows(scorer, window_s, hop_s)

    def push(self, samples: Samples) -> list[Moment]:
        """Take in a chunk: (samples,), or two dimensions of which the shorter is the channels.

        Returns:
            The moments that it completes; often none.

        Raises:
            AudioError: If the chunk is no sound.
        """
        mono = audio.to_mono(from_array(samples), "the stream")
        if self.resampler is not None:
            mono = self.resampler.push(mono)
        return _score(self.scorer, list(self.windows.push(mono)))

    def finish(self) -> list[Moment]:
        """The moments that are left when the sound has ended."""
        left = [] if self.resampler is None else list(self.windows.push(self.resampler.finish()))
        return _score(self.scorer, [*left, *self.windows.finish()])


def _windows(scorer: Scorer, window_s: float, hop_s: float) -> Windows:
    size, hop = round(window_s * scorer.rate_hz), round(hop_s * scorer.rate_hz)
    if not 0 < hop <= size:
        raise AudioError(
            f"expected windows of window_s with 0 < hop_s ≤ window_s, got window_s {window_s} and "
            f"hop_s {hop_s}"
        )
    return Windows(size, hop)


def _all(windows: Windows, blocks: Iterable[Waveform]) -> Iterator[Window]:
    for block in blocks:
        yield from windows.push(block)
    yield from windows.finish()


def _score(scorer: Scorer, windows: Sequence[Window]) -> list[Moment]:
    if not windows:
        return []
    rows = scorer.scores([window.samples for window in windows])
    rate_hz = scorer.rate_hz
    return [
        Moment.of(one.start / rate_hz, one.end / rate_hz, scorer.labels, row)
        for one, row in zip(windows, rows, strict=True)
    ]
