"""The decoded audio of a corpus as one int16 memory map: built once, opened by every process."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from rich.progress import track

from fcattn import audio
from fcattn.data.utterance import Utterance
from fcattn.errors import AudioError, CorpusError

SCALE = 32_767
VERSION = 1
SHOWN = 5
"""Broken files that an error names."""


class AudioCache:
    """Waveforms of a corpus by utterance.

    Args:
        folder: A finished cache folder: ``samples.npy`` and ``offsets.json``.
    """

    def __init__(self, folder: Path) -> None:
        self.samples: NDArray[np.int16] = np.load(folder / "samples.npy", mmap_mode="r")
        self.offsets: dict[str, tuple[int, int]] = json.loads((folder / "offsets.json").read_text())

    def length(self, utterance: Utterance) -> int:
        """Samples of an utterance."""
        begin, end = self.offsets[str(utterance.path)]
        return end - begin

    def read(
        self, utterance: Utterance, start: int = 0, count: int | None = None
    ) -> audio.Waveform:
        """Samples (count,) float32 of an utterance, from ``start``; all by default."""
        begin, end = self.offsets[str(utterance.path)]
        stop = end if count is None else min(begin + start + count, end)
        return self.samples[begin + start : stop].astype(np.float32) / np.float32(SCALE)


def prepare(utterances: Sequence[Utterance], rate_hz: int, folder: Path) -> Path:
    """Build the cache of these utterances unless it is there; others who ask meanwhile wait.

    The cache is named after paths, sizes and dates of all files: a changed file makes a new one.

    Args:
        utterances: What to decode.
        rate_hz: Rate of the cache.
        folder: Where caches lie.

    Returns:
        The folder to give to ``AudioCache``.

    Raises:
        CorpusError: If a file is missing or cannot be read; the first are named.
    """
    target = folder / _key(utterances, rate_hz)
    if target.is_dir():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{target.name}.lock"):
        if not target.is_dir():
            _build(utterances, rate_hz, target)
    return target


def default_folder() -> Path:
    """``$FCATTN_CACHE``, else ``fcattn`` in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("FCATTN_CACHE") or Path(base) / "fcattn")


def _build(utterances: Sequence[Utterance], rate_hz: int, target: Path) -> None:
    """Decode into a folder beside the target and move it there when it is whole."""
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        waveforms = _decode(utterances, rate_hz)
        ends = np.cumsum([len(waveform) for waveform in waveforms])
        whole = np.lib.format.open_memmap(
            partial / "samples.npy", mode="w+", dtype=np.int16, shape=(int(ends[-1]),)
        )
        offsets = {}
        for utterance, waveform, end in zip(utterances, waveforms, ends.tolist(), strict=True):
            begin = end - len(waveform)
            whole[begin:end] = waveform
            offsets[str(utterance.path)] = (begin, end)
        whole.flush()
        (partial / "offsets.json").write_text(json.dumps(offsets))
        partial.replace(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _decode(utterances: Sequence[Utterance], rate_hz: int) -> list[NDArray[np.int16]]:
    """Every utterance as int16, in order."""
    broken: list[str] = []

    def one(utterance: Utterance) -> NDArray[np.int16]:
        try:
            waveform = audio.load(utterance.path, rate_hz)
        except AudioError as error:
            broken.append(str(error))
            return np.zeros(0, np.int16)
        return np.round(waveform.clip(-1, 1) * SCALE).astype(np.int16)

    with ThreadPoolExecutor() as pool:
        work = pool.map(one, utterances)
        waveforms = list(track(work, "Decoding", total=len(utterances), transient=True))
    if broken:
        more = f"\n… and {len(broken) - SHOWN} more" if len(broken) > SHOWN else ""
        raise CorpusError(
            f"{len(broken)} of {len(utterances)} sound files cannot be used:\n"
            + "\n".join(sorted(broken)[:SHOWN])
            + more
        )
    return waveforms


def _key(utterances: Sequence[Utterance], rate_hz: int) -> str:
    """A name made of everything that the cache depends on."""
    digest = hashlib.sha256(f"{VERSION} {rate_hz}".encode())
    for utterance in utterances:
        try:
            status = utterance.path.stat()
        except OSError:
            digest.update(f"{utterance.path} missing\n".encode())
            continue
        digest.update(f"{utterance.path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:24]
