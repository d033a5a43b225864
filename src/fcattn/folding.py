"""How focus and mask ride on the stock fused attention kernel, without a time × time bias.

Letters: B batch, T time, H heads, d head size. A mask is True where a frame is valid.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

MASKED = -1.0e4
"""Logit of a padded key: its weight underflows to 0 in float32, bfloat16 and float16 alike."""


class Focus(NamedTuple):
    """Where each query looks: shares of the utterance, each (B, H, T)."""

    centre: Tensor
    width: Tensor


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, focus: Focus | None) -> Tensor:
    """Run the fused kernel: focus and mask folded in, or plain attention with the kernel's mask.

    Args:
        query: (B, H, T, d).
        key: (B, H, T, d).
        value: (B, H, T, d).
        mask: (B, T).
        focus: Centres and widths; ``None`` for plain attention.

    Returns:
        (B, H, T, d).
    """
    kernel = functional.scaled_dot_product_attention
    if focus is None:
        return kernel(query, key, value, attn_mask=mask[:, None, None, :])
    long_query, long_key, scale = fold(query, key, mask, focus)
    nothing = value.new_zeros(()).expand(*value.shape[:3], long_key.shape[-1] - value.shape[-1])
    long_value = _append(value, nothing)  # the kernel wants one size for all three
    attended = kernel(long_query, long_key, long_value, scale=scale).transpose(1, 2)  # as it lies
    return attended[..., : value.shape[-1]].transpose(1, 2)


def fold(query: Tensor, key: Tensor, mask: Tensor, focus: Focus) -> tuple[Tensor, Tensor, float]:
    """Write focus and mask into more dimensions of query and key, so that no bias is needed.

    Args:
        query: (B, H, T, d).
        key: (B, H, T, d).
        mask: (B, T).
        focus: Centres and widths.

    Returns:
        Query and key (B, H, T, d + 4), or d + 8 in half precision, as fused kernels want multiples
        of 16 bytes; and the scale ``1/√d`` of their inner product.
    """
    kind, root = query.dtype, query.shape[-1] ** 0.5
    position = positions(mask) - 0.5  # (B, T), around 0 for precision
    sharpness = root * focus.width.square().reciprocal()  # (B, H, T)
    slope = sharpness * (focus.centre - 0.5)
    spare, masking = torch.zeros_like(slope), torch.full_like(slope, root)
    on_query = torch.stack((sharpness, slope, masking, spare), dim=-1)  # (B, H, T, 4)
    bend, masked = -0.5 * position.square(), torch.where(mask, 0.0, MASKED)
    on_key = torch.stack((bend, position, masked, torch.zeros_like(bend)), dim=-1)  # (B, T, 4)
    if kind != torch.float32:
        on_query, on_key = _in_two_parts(on_query, on_key, kind)
    on_key = on_key.unsqueeze(1).expand(-1, key.shape[1], -1, -1)  # (B, H, T, 4 or 8)
    return _append(query, on_query), _append(key, on_key), 1 / root


def positions(mask: Tensor) -> Tensor:
    """Centres of the frames as shares of the utterance, ``(j + 1/2) / L`` (B, T); padding beyond 1.

    Example:
        >>> positions(torch.tensor([[True, True, False]]))
        tensor([[0.2500, 0.7500, 1.2500]])
    """
    index = torch.arange(mask.shape[1], device=mask.device, dtype=torch.float32) + 0.5
    return index / mask.sum(dim=1, keepdim=True).clamp_min(1)


def received_attention(
    query: Tensor, key: Tensor, mask: Tensor, focus: Focus | None, rows: int = 256
) -> Tensor:
    """Attention that each frame receives, mean over the valid queries; a few rows at a time.

    Args:
        query: (B, H, T, d).
        key: (B, H, T, d).
        mask: (B, T).
        focus: Centres and widths; ``None`` for plain attention.
        rows: Queries at a time, so that memory does not grow with T².

    Returns:
        (B, H, T), float32; sums to 1 over the valid frames.
    """
    scale = query.shape[-1] ** -0.5
    if focus is not None:
        query, key, scale = fold(query, key, mask, focus)
    padded = torch.where(mask, 0.0, MASKED)[:, None, None, :]
    share = mask / mask.sum(dim=1, keepdim=True).clamp_min(1)  # (B, T)

    def given_by(part: Tensor, weight: Tensor) -> Tensor:
        attention = torch.softmax((part @ key.mT).float() * scale + padded, dim=-1)
        return (weight[:, None, None] @ attention).squeeze(2)

    if torch.compiler.is_exporting():  # a graph has no loop over a length that is not known yet
        return given_by(query, share)
    received = torch.zeros(query.shape[:3], device=query.device)
    for start in range(0, query.shape[2], rows):
        end = start + rows
        received = received + given_by(query[:, :, start:end], share[:, start:end])
    return received


def _append(heads: Tensor, more: Tensor) -> Tensor:
    """More dimensions for (B, H, T, d), laid out as a projection gives them: (B, T, H, d)."""
    return torch.cat((heads.transpose(1, 2), more.transpose(1, 2)), dim=-1).transpose(1, 2)


def _in_two_parts(on_query: Tensor, on_key: Tensor, kind: torch.dtype) -> tuple[Tensor, Tensor]:
    """The four dimensions in half precision, as eight.

    Each factor becomes the sum of a high and a low part, which keeps the products of focus and
    position exact enough; the gradient flows by the first of each.
    """
    query_high, key_high = on_query.to(kind), on_key.to(kind)
    query_low = (on_query.detach() - query_high.detach().float()).to(kind)
    key_low = (on_key - key_high.float()).to(kind)
    again = query_high[..., :2].detach()
    return (
        torch.cat((query_high, again, query_low[..., :2]), dim=-1),
        torch.cat((key_high, key_low[..., :2], key_high[..., :2]), dim=-1),
    )
