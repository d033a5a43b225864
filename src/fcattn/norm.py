"""Batch normalisation that padding and processes do not change, and the ReLU behind it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.autograd.function import once_differentiable

EPSILON = 1e-5
"""Added to a variance."""


class MaskedNormReLU(nn.Module):
    """Batch norm over the valid frames of a step, of all utterances and all processes, then ReLU.

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
        """Normalise maps (B, channels, T, bands) with mask (B, T); padding becomes 0."""
        last = maps.permute(0, 2, 3, 1)  # (B, T, bands, channels), as it lies in memory
        share = mask[..., None, None].float()  # (B, T, 1, 1)
        if self.training:
            last, mean, variance, count = _Step.apply(last, share, self.weight, self.bias)
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(variance * count / (count - 1).clamp_min(1), self.momentum)
        else:
            scale, shift = self.affine()
            last = torch.addcmul(
                shift.to(maps.dtype), last, scale.to(maps.dtype)
            ).relu_() * share.to(maps.dtype)
        return last.permute(0, 3, 1, 2)

    def affine(self) -> tuple[Tensor, Tensor]:
        """What this does after training: factors and summands of the channels, (channels,) each."""
        scale = self.weight * (self.running_var + EPSILON).rsqrt()
        return scale, self.bias - self.running_mean * scale


class _Step(torch.autograd.Function):
    """The norm of a training step with as few passes over the maps as there can be.

    Let ``x`` be a channel, ``r`` one over its deviation, ``w`` its weight and ``g`` the gradient
    behind the ReLU. The gradient of ``x`` is ``w r (g - mean(g) - z mean(g z))``, where ``z`` is
    the normalised channel (Ioffe and Szegedy, 2015) and means are over all that is valid. Written
    as ``w r g + a x + c`` it is one pass.
    """

    @staticmethod
    def forward(ctx: Any, maps: Tensor, share: Tensor, weight: Tensor, bias: Tensor) -> Any:
        """Normalised maps (B, T, bands, channels); mean, variance and count of a channel."""
        exact = maps.float()
        result = exact * share
        count = (share.sum() * maps.shape[2]).reshape(1)
        total, squares, count = _over_processes(_sum(result), _sum(result.mul_(exact)), count)
        mean = total / count
        variance = (squares / count - mean.square()).clamp_min(0)
        sharp = (variance + EPSILON).rsqrt()
        scale = weight * sharp
        shift = bias - mean * scale
        torch.addcmul(shift * share, exact, scale * share, out=result).relu_()
        result = result.to(maps.dtype)
        ctx.save_for_backward(maps, result, share, mean, sharp, weight, count)
        ctx.mark_non_differentiable(mean, variance, count)
        return result, mean, variance, count

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *_: Any) -> Any:
        """Gradients of maps, weight and bias."""
        maps, result, share, mean, sharp, weight, count = ctx.saved_tensors
        exact = maps.float()
        gradient = torch.ops.aten.threshold_backward(gradient, result, 0).float()  # of the ReLU
        plain, crossed = _sum(gradient), _sum(gradient * exact)
        all_plain, all_crossed = _over_processes(plain, crossed)
        scale = weight * sharp
        a = -scale * sharp.square() * (all_crossed - mean * all_plain) / count
        c = -scale * all_plain / count - a * mean
        inward = gradient.mul_(scale).addcmul_(exact, a * share).add_(c * share)
        return inward.to(maps.dtype), None, sharp * (crossed - mean * plain), plain


def _sum(maps: Tensor) -> Tensor:
    return maps.sum((0, 1, 2))


def _over_processes(*parts: Tensor) -> tuple[Tensor, ...]:
    """Sums of all processes that train together; one message."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return parts
    together = torch.cat(parts)
    distributed.all_reduce(together)
    return torch.split(together, [len(part) for part in parts])
