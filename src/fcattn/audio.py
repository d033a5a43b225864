"""Any input (path, bytes, file object, array, tensor) becomes one mono waveform at one rate."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np
import soundfile
import soxr
import torch
from numpy.typing import NDArray
from torch import Tensor

from fcattn.errors import AudioError

Waveform: TypeAlias = NDArray[np.float32]
Source: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO | NDArray[np.generic] | Tensor

ENDINGS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64")
"""File endings that are taken for sound when a folder is searched."""

LOUDEST = 32.0
"""Float samples beyond this are whole numbers that were not scaled, not loud speech."""

UNKNOWN_SIZES = (0, 0x7FFFFFFF, 0xFFFFFFFF)
"""Sizes that programs write into a WAV header when they stream and do not know it yet."""


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
    if isinstance(source, np.ndarray | Tensor):
        samples, rate = _from_array(source), _rate_of_array(sample_rate_hz)
        name = f"the {type(source).__name__}"
    else:
        name = describe(source)
        if sample_rate_hz is not None:
            raise AudioError(f"{name}: a file knows its sample rate; leave out sample_rate_hz")
        samples, rate = _from_file(source, name)
    return _mono(samples, rate, rate_hz, name)


def describe(source: object) -> str:
    """A name for messages and tables."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    return str(getattr(source, "name", f"the {type(source).__name__}"))


def _from_file(source: object, name: str) -> tuple[NDArray[np.generic], int]:
    """Samples (samples, channels) and rate of a path, bytes or file object."""
    opened: object = source
    if isinstance(source, str | os.PathLike):
        _check_path(Path(source), name)
        opened = os.fspath(source)
    elif isinstance(source, bytes | bytearray | memoryview):
        opened = io.BytesIO(source)
    elif not hasattr(source, "read"):
        raise AudioError(
            f"expected a path, bytes, a binary file object, an array or a tensor, got {name}"
        )
    try:
        with soundfile.SoundFile(opened) as file:
            frames, rate = file.frames, file.samplerate
            missing = _missing_bytes(file.extra_info)
            samples = file.read(dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, TypeError, ValueError, OSError) as error:
        raise AudioError(
            f"{name}: not a sound file that can be read ({error}); "
            "expected WAV, FLAC, OGG or MP3, for others convert it first"
        ) from None
    if missing or (0 < frames < 1 << 62 and len(samples) < frames):
        raise AudioError(
            f"{name}: cut off: its header promises more than the {len(samples) / rate:.2f} s that "
            "are there; copy or convert it again"
        )
    return samples, rate


def _check_path(path: Path, name: str) -> None:
    if not path.exists():
        raise AudioError(f"{name}: no such file")
    if path.is_dir():
        raise AudioError(f"{name}: a folder; expected a sound file")
    if path.stat().st_size == 0:
        raise AudioError(f"{name}: an empty file")


def _missing_bytes(report: str) -> bool:
    """Whether libsndfile found fewer sample bytes than the WAV header promises."""
    for line in report.splitlines():
        if line.strip().startswith("data") and "(should be " in line:
            promised = line.partition(":")[2].split()[0]
            return promised.isdigit() and int(promised) not in UNKNOWN_SIZES
    return False


def _from_array(array: NDArray[np.generic] | Tensor) -> NDArray[np.generic]:
    """Samples (samples, channels) of an array or tensor, whole numbers scaled."""
    samples = array.detach().cpu().numpy() if isinstance(array, Tensor) else array
    if samples.ndim not in (1, 2):
        raise AudioError(
            f"expected samples of one or two dimensions, got shape {tuple(samples.shape)}; "
            "give a list of arrays for several clips"
        )
    if samples.ndim == 1:
        samples = samples[:, None]
    elif samples.shape[0] < samples.shape[1]:
        samples = samples.T
    if samples.dtype in (np.int16, np.int32):
        return samples.astype(np.float64) / -float(np.iinfo(samples.dtype).min)
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    if not np.issubdtype(samples.dtype, np.floating):
        raise AudioError(f"expected float, int16, int32 or uint8 samples, got {samples.dtype}")
    peak = np.max(np.abs(samples), initial=0.0)
    if np.isfinite(peak) and peak > LOUDEST:
        raise AudioError(
            f"expected float samples within -1 to 1, got a peak of {peak:g}; divide by full scale"
        )
    return samples


def _rate_of_array(sample_rate_hz: int | None) -> int:
    if sample_rate_hz is None:
        raise AudioError(
            "an array or tensor needs its rate: give sample_rate_hz, for example 16_000"
        )
    if not sample_rate_hz > 0:
        raise AudioError(f"expected a sample rate above 0 Hz, got {sample_rate_hz}")
    return sample_rate_hz


def _mono(samples: NDArray[np.generic], rate: int, wanted: int, name: str) -> Waveform:
    """Mean of the channels of (samples, channels), resampled."""
    if not samples.size:
        raise AudioError(f"{name}: holds no samples")
    mono = np.ascontiguousarray(samples.mean(axis=1, dtype=np.float64), dtype=np.float32)
    if not np.isfinite(mono).all():
        raise AudioError(f"{name}: holds NaN or infinite samples")
    if rate != wanted:
        mono = soxr.resample(mono, rate, wanted, quality="HQ").astype(np.float32)
    return mono if mono.size else np.zeros(1, np.float32)


def batch(waveforms: list[Waveform]) -> tuple[Tensor, Tensor]:
    """Pad waveforms to the longest.

    Returns:
        (batch, samples) float32 and lengths (batch,) in samples.
    """
    lengths = torch.tensor([len(waveform) for waveform in waveforms])
    padded = torch.zeros(len(waveforms), int(lengths.max()))
    for row, waveform in zip(padded, waveforms, strict=True):
        row[: len(waveform)] = torch.from_numpy(waveform)
    return padded, lengths
