"""What was tried to make a training step faster: lower precision, a compiler, a memory layout."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import torch
from torch.nn import functional

from bench.sides import Row, medians_s, ms
from fcattn.config import ModelConfig
from fcattn.model import EmotionNetwork

BATCH, SAMPLES = 16, 48_000
Step = Callable[[], None]


def rows() -> Iterator[Row]:
    """Forward and backward of 16 clips of 3 s, each against the step as it is."""
    network = EmotionNetwork(ModelConfig(tuple("abcdefgh"))).train()
    plain = copy.deepcopy(network)
    plain.stem.layers.to(memory_format=torch.contiguous_format)
    compiled = copy.deepcopy(network)
    compiled.compile(dynamic=True)
    sides = {
        "as it is": _step(network),
        "bf16-mixed": _step(network, torch.bfloat16),
        "torch.compile": _step(compiled),
        "stem not in channels_last": _step(plain),
    }
    found = medians_s(sides)
    usual = found.pop("as it is")
    for name, seconds in found.items():
        yield Row(
            f"training step, {name}", "as it is", ms(seconds), ms(usual), seconds / usual,
            "tried", True,
        )  # fmt: skip


def _step(network: EmotionNetwork, kind: torch.dtype | None = None) -> Step:
    waveform = 0.1 * torch.randn(BATCH, SAMPLES)
    lengths = torch.linspace(SAMPLES * 0.8, SAMPLES, BATCH).long()
    classes = torch.arange(BATCH) % 8

    def run() -> None:
        with torch.autocast("cpu", kind or torch.bfloat16, enabled=kind is not None):
            logits = network(waveform, lengths)
        functional.cross_entropy(logits.float(), classes).backward()
        network.zero_grad()

    return run
