"""A training epoch against the same network with files decoded per item and random batches."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor
from torch.nn import functional

from bench.clips import RATE_HZ, speech_like
from bench.sides import Row, faster, medians_s, ms, threads_of
from fcattn import audio
from fcattn.config import ModelConfig
from fcattn.data import RAVDESS
from fcattn.model import EmotionNetwork

Step = Callable[[Tensor, Tensor, Tensor], None]

CLIPS, BATCH = 240, 16
"""A fifth of RAVDESS's 1200 clips; both sides grow with their number."""

PUBLISHED_HZ = 48_000
"""Rate of RAVDESS as it is published, which the model does not want."""


def rows() -> Iterator[Row]:
    """Time of an epoch, and the share of it that waits for data."""
    with tempfile.TemporaryDirectory() as folder:
        files = _write_corpus(Path(folder) / "ravdess")
        crops, whole = (_data(Path(folder), crop_s) for crop_s in (3.0, None))
        step = _stepper(len(crops.labels))
        for threads in (1, 2):
            torch.set_num_threads(threads)
            yield from _epochs(crops, whole, files, step, threads)
        torch.set_num_threads(1)


def _epochs(
    crops: RAVDESS, whole: RAVDESS, files: list[Path], step: Step, threads: int
) -> Iterator[Row]:
    waits: list[float] = []
    found = medians_s(
        {
            "crops": lambda: waits.append(_epoch(iter(crops.train_dataloader()), step)),
            "whole": lambda: _epoch(iter(whole.train_dataloader()), step),
            "naive": lambda: _epoch(_naive(files), step),
        }
    )
    on = f", {threads_of(threads)}"
    what = f"training epoch, {CLIPS} clips like RAVDESS (48 kHz)"
    against = "decoding per item, padding to the longest of random clips"
    yield faster(f"{what}, crops of 3 s{on}", against, found["crops"], found["naive"], 2)
    ratio = found["naive"] / found["whole"]
    yield Row(
        f"{what}, whole{on}", against, ms(found["whole"]), ms(found["naive"]), ratio, "–", True
    )
    share = float(np.median(waits[1:]))
    yield Row(
        f"loader's share of the step time{on}",
        "–",
        f"{share:.1%}",
        "–",
        share,
        "≤ 5 %",
        share <= 0.05,
        "%",
    )


def _data(folder: Path, crop_s: float | None) -> RAVDESS:
    data = RAVDESS(
        str(folder / "ravdess"),
        validation_speakers=["20"],
        batch_size=BATCH,
        crop_s=crop_s,
        cache_dir=str(folder / "cache"),
    )
    data.prepare_data()
    data.setup("fit")
    return data


def _write_corpus(root: Path) -> list[Path]:
    """Files with the names, lengths and format of RAVDESS: 16 bit at 48 kHz."""
    dice = random.Random(0)
    files = []
    for actor in range(1, 21):
        folder = root / f"Actor_{actor:02}"
        folder.mkdir(parents=True)
        for number in range(CLIPS // 19 + 1 if actor < 20 else 8):
            emotion, take = number % 8 + 1, number // 8 + 1
            path = folder / f"03-01-{emotion:02}-01-01-{take:02}-{actor:02}.wav"
            seconds = dice.triangular(2.9, 5.3, 3.6)
            noise = speech_like(seconds, actor * 100 + number, PUBLISHED_HZ)
            soundfile.write(path, noise, PUBLISHED_HZ)
            if actor < 20:
                files.append(path)
    return files


def _stepper(classes: int) -> Step:
    """Forward, backward and update of one network; no augmentation on either side."""
    labels = tuple(f"class {number}" for number in range(classes))
    network = EmotionNetwork(ModelConfig(labels)).train()
    optimizer = torch.optim.AdamW(network.parameters(), 1e-4)

    def step(waveform: Tensor, lengths: Tensor, classes: Tensor) -> None:
        optimizer.zero_grad()
        functional.cross_entropy(network(waveform, lengths), classes).backward()
        optimizer.step()

    return step


def _epoch(batches: Iterator[tuple[Tensor, ...]], step: Step) -> float:
    """Run an epoch; returns the share of its time that waited for batches."""
    begun, waited = time.perf_counter(), 0.0
    while True:
        asked = time.perf_counter()
        batch = next(batches, None)
        waited += time.perf_counter() - asked
        if batch is None:
            return waited / (time.perf_counter() - begun)
        step(*batch[:3])


def _naive(files: list[Path]) -> Iterator[tuple[Tensor, ...]]:
    order = random.sample(files, len(files))
    for start in range(0, len(order), BATCH):
        waveforms = [audio.load(path, RATE_HZ) for path in order[start : start + BATCH]]
        padded, lengths = audio.batch(waveforms)
        classes = torch.zeros(len(waveforms), dtype=torch.long)
        yield torch.from_numpy(padded), torch.from_numpy(lengths), classes
