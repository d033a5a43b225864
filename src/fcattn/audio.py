"""Any input (path, bytes, file object, array, tensor) becomes one mono waveform at one rate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
import soxr
from numpy.typing import NDArray

from fcattn.errors import AudioError
from fcattn.sources import Source, open_source

Waveform: TypeAlias = NDArray[np.float32]


def load(source: Source, rate_hz: int, sample_rate_hz: int | None = None) -> Waveform:
    """Read a source as mono float32 at ``rate_hz``.

    Args:
        source: Path, bytes of a sound file, binary file object, or samples: (samples,), or two
            dimensions of which the shorter is the channels. Whole numbers are scaled to [-1, 1].
        rate_hz: Rate wanted.
        sample_rate_hz: Rate of an array or tensor; files know their own.

    Returns:
        (samples,) float32, at least one sample, all finite.

    Raises:
        AudioError: If the source is missing, is no sound, is cut off, is empty, is not finite, or
            is an array without a rate.

    Example:
        >>> load(np.zeros((2, 44_100), np.int16), 16_000, sample_rate_hz=44_100).shape
        (16000,)
    """
    parts = list(blocks(source, rate_hz, sample_rate_hz))
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def blocks(source: Source, rate_hz: int, sample_rate_hz: int | None = None) -> Iterator[Waveform]:
    """Read a source as ``load`` does, block by block, so that hours need little memory.

    Yields:
        (samples,) float32, at least one block with at least one sample.
    """
    name, rate, pieces = open_source(source, sample_rate_hz)
    resampler = None if rate == rate_hz else Resampler(rate, rate_hz)
    empty = True
    for piece in pieces:
        if piece.size:
            empty = False
            mono = to_mono(piece, name)
            yield mono if resampler is None else resampler.push(mono)
    if empty:
        raise AudioError(f"{name}: holds no samples")
    if resampler is not None:
        yield resampler.finish()


class Resampler:
    """Change the rate of a stream.

    Args:
        rate_hz: Rate of what comes in.
        wanted_hz: Rate of what goes out.
    """

    def __init__(self, rate_hz: int, wanted_hz: int) -> None:
        self.stream = soxr.ResampleStream(rate_hz, wanted_hz, 1, dtype="float32", quality="HQ")
        self.silent = True

    def push(self, samples: Waveform) -> Waveform:
        """Samples (any,) in, as many out as are ready."""
        return self._keep(self.stream.resample_chunk(samples))

    def finish(self) -> Waveform:
        """The samples that are left; at least one sample comes out of a stream in all."""
        left = self._keep(self.stream.resample_chunk(np.zeros(0, np.float32), last=True))
        return np.zeros(1, np.float32) if self.silent else left

    def _keep(self, ready: Waveform) -> Waveform:
        self.silent = self.silent and not ready.size
        return ready


def to_mono(samples: NDArray[np.generic], name: str) -> Waveform:
    """Mean of the channels of (samples, channels).

    Raises:
        AudioError: If a sample is NaN or infinite.
    """
    mixed = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1, dtype=np.float64)
    mono = np.ascontiguousarray(mixed, dtype=np.float32)
    if not np.isfinite(mono).all():
        raise AudioError(f"{name}: holds NaN or infinite samples")
    return mono


def segments(waveform: Waveform, size: int, hop: int) -> list[Waveform]:
    """Overlapping parts of a waveform; the last one may be shorter, and a short one is whole.

    Args:
        waveform: (samples,).
        size: Longest part in samples.
        hop: From the start of one to the start of the next.

    Example:
        >>> [one.tolist() for one in segments(np.arange(6.0), size=4, hop=1)]
        [[0.0, 1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0], [2.0, 3.0, 4.0, 5.0]]
    """
    count = -(-max(0, len(waveform) - size) // hop) + 1
    return [waveform[start : start + size] for start in range(0, count * hop, hop)]


def batch(waveforms: Sequence[Waveform]) -> tuple[Waveform, NDArray[np.int64]]:
    """Pad waveforms to the longest.

    Returns:
        (batch, samples) float32 and lengths (batch,) in samples.
    """
    lengths = np.array([len(waveform) for waveform in waveforms], dtype=np.int64)
    padded = np.zeros((len(waveforms), int(lengths.max())), dtype=np.float32)
    for row, waveform in zip(padded, waveforms, strict=True):
        row[: len(waveform)] = waveform
    return padded, lengths
