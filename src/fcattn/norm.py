"""Batch normalisation that padding and processes do not change."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, distributed, nn


class MaskedBatchNorm(nn.Module):
    """Batch norm over the valid frames of a step, of all utterances and all processes.

    ``nn.BatchNorm2d`` counts padding, and two processes with half a batch each would not take the
    step that one process takes with the whole; ``nn.SyncBatchNorm`` runs on GPUs only.

    Args:
        channels: Channels of the maps.
        momentum: Share of a step in the running mean and variance.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, momentum: float = 0.1) -> None:
        super().__init__()
        self.momentum = momentum
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, maps: Tensor, mask: Tensor) -> Tensor:
        """Normalise maps (B, channels, T, bands) with mask (B, T); padding gets any value."""
        scale, shift = self._affine(*self._measure(maps, mask)) if self.training else self.affine()
        return torch.addcmul(
            shift[:, None, None].to(maps.dtype), maps, scale[:, None, None].to(maps.dtype)
        )

    def affine(self) -> tuple[Tensor, Tensor]:
        """What this does after training: factors and summands of the channels, (channels,) each."""
        return self._affine(self.running_mean, self.running_var)

    def _affine(self, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        scale = self.weight * (variance + 1e-5).rsqrt()
        return scale, self.bias - mean * scale

    def _measure(self, maps: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of each channel; moves the running ones toward them."""
        valid = (maps * mask[:, None, :, None]).float()
        count = (mask.sum() * maps.shape[3]).reshape(1)
        sums = torch.cat((valid.sum((0, 2, 3)), valid.square().sum((0, 2, 3)), count))
        if distributed.is_available() and distributed.is_initialized():
            from torch.distributed.nn.functional import all_reduce

            sums = cast(Tensor, all_reduce(sums))  # type: ignore[no-untyped-call]
        channels = maps.shape[1]
        total, squares, number = sums[:channels], sums[channels:-1], sums[-1]
        mean = total / number
        variance = (squares / number - mean.square()).clamp_min(0)
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * number / (number - 1).clamp_min(1), self.momentum)
        return mean, variance
