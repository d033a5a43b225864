"""What can be given as sound (path, bytes, file object, array, tensor), as pieces of samples."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, TypeAlias, TypeGuard, Union

import numpy as np
import soundfile
from numpy.typing import NDArray

from fcattn.errors import AudioError

if TYPE_CHECKING:  # models in ONNX run where torch is not installed
    from torch import Tensor

Samples: TypeAlias = Union[NDArray[Any], "Tensor"]
Source: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO | Samples

ENDINGS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64")
"""File endings that are taken for sound when a folder is searched."""

PIECE_S = 20
"""Seconds of a file that are read at a time."""

LOUDEST = 32.0
"""Float samples beyond this are whole numbers that were not scaled, not loud speech."""

UNKNOWN_SIZES = (0, 0x7FFFFFFF, 0xFFFFFFFF)
"""Sizes that programs write into a WAV header when they stream and do not know it yet."""


class Opened(NamedTuple):
    """A source that can be read.

    Attributes:
        name: For messages.
        rate_hz: Its rate.
        pieces: Samples (samples, channels), some seconds at a time.
    """

    name: str
    rate_hz: int
    pieces: Iterator[NDArray[np.generic]]


def open_source(source: Source, sample_rate_hz: int | None) -> Opened:
    """Look at a source, as far as it can be said without reading it whole.

    Args:
        source: What ``audio.load`` takes.
        sample_rate_hz: Rate of an array or tensor; files know their own.

    Raises:
        AudioError: If it is no sound, or its rate is missing or given twice.
    """
    if _is_samples(source):
        samples, rate = from_array(source), _rate_of_array(sample_rate_hz)
        return Opened(f"the {type(source).__name__}", rate, iter([samples]))
    name = describe(source)
    if sample_rate_hz is not None:
        raise AudioError(f"{name}: a file knows its sample rate; leave out sample_rate_hz")
    file = _open(source, name)
    return Opened(name, file.samplerate, _pieces(file, name))


def _is_samples(source: Source) -> TypeGuard[Samples]:
    """True for arrays and tensors."""
    return isinstance(source, np.ndarray) or hasattr(source, "cpu")


def describe(source: object) -> str:
    """A name for messages and tables."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    return str(getattr(source, "name", f"the {type(source).__name__}"))


def _open(source: object, name: str) -> soundfile.SoundFile:
    """A path, bytes or file object, opened."""
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
        return soundfile.SoundFile(opened)
    except (soundfile.SoundFileError, TypeError, ValueError, OSError) as error:
        raise _unreadable(name, error) from None


def _pieces(file: soundfile.SoundFile, name: str) -> Iterator[NDArray[np.generic]]:
    """Samples (samples, channels), some seconds at a time; all that the header promises."""
    with file:
        read = 0
        while True:
            try:
                piece = file.read(PIECE_S * file.samplerate, dtype="float32", always_2d=True)
            except (soundfile.SoundFileError, OSError) as error:
                raise _unreadable(name, error) from None
            if not len(piece):
                break
            read += len(piece)
            yield piece
        missing = _missing_bytes(file.extra_info)
        if missing or (0 < file.frames < 1 << 62 and read < file.frames):
            raise AudioError(
                f"{name}: cut off: its header promises more than the "
                f"{read / file.samplerate:.2f} s that are there; copy or convert it again"
            )


def _unreadable(name: str, error: Exception) -> AudioError:
    return AudioError(
        f"{name}: not a sound file that can be read ({error}); "
        "expected WAV, FLAC, OGG or MP3, for others convert it first"
    )


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


def from_array(array: Samples) -> NDArray[Any]:
    """Samples (samples, channels) of an array or tensor, whole numbers scaled."""
    samples = array if isinstance(array, np.ndarray) else array.detach().cpu().numpy()
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
