"""Batch normalisation that padding and processes do not change."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, distributed, nn

EPSILON = 1e-5

LARGEST_RATIO, LARGEST_OFFSET = 3.0, 5.0
"""How far batch and running statistics may be apart before the batch's own count again."""


class MaskedBatchNorm(nn.Module):
    """Batch renormalisation over the valid frames of a step, of all utterances and all processes.

    ``nn.BatchNorm2d`` counts padding, and two processes with half a batch each would not take the
    step that one process takes with the whole; ``nn.SyncBatchNorm`` runs on GPUs only. Clips of a
    batch have like length, and so often come from one corpus: a batch is then no fair sample, and
    a network that learns with the statistics of the batch fails with those of all. After its first
    steps this one therefore learns with the running statistics, while the gradient flows through
    those of the batch (Ioffe, Batch Renormalization, NeurIPS 2017, eq. 1).

    Args:
        channels: Channels of the maps.
        momentum: Share of a step in the running mean and variance.
        trusting: Steps after which the running statistics are fully in force.
    """

    running_mean: Tensor
    running_var: Tensor
    steps: Tensor

    def __init__(self, channels: int, momentum: float = 0.01, trusting: int = 1_000) -> None:
        super().__init__()
        self.momentum = momentum
        self.trusting = trusting
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, maps: Tensor, mask: Tensor) -> Tensor:
        """Normalise maps (B, channels, T, bands) with mask (B, T); padding gets any value."""
        mean, deviation = self.running_mean, (self.running_var + EPSILON).sqrt()
        if self.training:
            mean, deviation = self._renormalise(*self._measure(maps, mask))
        scale = self.weight / deviation
        shift = self.bias - mean * scale
        return torch.addcmul(
            shift[:, None, None].to(maps.dtype), maps, scale[:, None, None].to(maps.dtype)
        )

    def _measure(self, maps: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of each channel in this step."""
        valid = (maps * mask[:, None, :, None]).float()
        count = (mask.sum() * maps.shape[3]).reshape(1)
        sums = torch.cat((valid.sum((0, 2, 3)), valid.square().sum((0, 2, 3)), count))
        if distributed.is_available() and distributed.is_initialized():
            from torch.distributed.nn.functional import all_reduce

            sums = cast(Tensor, all_reduce(sums))  # type: ignore[no-untyped-call]
        channels = maps.shape[1]
        total, squares, number = sums[:channels], sums[channels:-1], sums[-1]
        mean = total / number
        return mean, (squares / number - mean.square()).clamp_min(0)

    def _renormalise(self, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        """Move the mean and deviation of a step to the running ones, as far as these are trusted.

        What comes back has the value of the running statistics (within limits that open with the
        steps) and the gradient of the step's own.
        """
        deviation = (variance + EPSILON).sqrt()
        with torch.no_grad():
            known = (self.running_var + EPSILON).sqrt()
            trust = (self.steps / self.trusting).clamp_max(1)
            widest = 1 + (LARGEST_RATIO - 1) * trust
            ratio = (deviation / known).clamp(1 / widest, widest)  # r of the paper
            limit = LARGEST_OFFSET * trust
            offset = ((mean - self.running_mean) / known).clamp(-limit, limit)  # d
            share = (1 / (self.steps + 1)).clamp_min(self.momentum)
            self.running_mean.lerp_(mean, share)
            self.running_var.lerp_(variance, share)
            self.steps += 1
        deviation = deviation / ratio
        return mean - offset * deviation, deviation
