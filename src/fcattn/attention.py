"""The paper: self-attention that is pulled to one moment, and whose heads are weighted.

Kim, An and Kim, *Improving Speech Emotion Recognition Through Focus and Calibration Attention
Mechanisms*, INTERSPEECH 2022 (arXiv 2208.10491), add Focus-Attention (FA) and Calibration-Attention
(CA) to multi-head self-attention (MHSA). The formulas here are ours, built from the paper's
abstract and from the Gaussian focal bias of You et al. (ACL 2019, P19-1205) and Yang et al.
(EMNLP 2018, arXiv 1810.10182), which FA comes from.

Letters: B batch, T time, H heads, d head size, width = H·d. A mask is True where a frame is valid.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from fcattn.folding import Focus, attend, received_attention

WIDE_AT_START = 3.0
"""Bias of the width's sigmoid: at the start a focus spans the utterance, so FA is close to MHSA."""


class Attended(NamedTuple):
    """What one attention layer shows of itself.

    Attributes:
        received: Attention each frame receives (B, H, T), mean over valid queries; sums to 1.
        centre: Focus centre of each query in (0, 1) (B, H, T); ``None`` without FA.
        width: Focus width of each query in (0, 1) (B, H, T); ``None`` without FA.
        head_weights: Weight of each head in (0, 2) (B, H); ``None`` without CA.
    """

    received: Tensor
    centre: Tensor | None
    width: Tensor | None
    head_weights: Tensor | None


class FocusBias(nn.Module):
    """Pull each query's attention toward one moment of the utterance (FA).

    Plain self-attention looks beside the loud syllables that carry the emotion. Here every query
    predicts a centre ``μ`` and a width ``s``, and a key at position ``p`` gains the logit
    ``-(p - μ)² / (2 s²)``: the Gaussian bias of Yang et al. (2018) and You et al. (2019). That the
    centre also sees the mean query of the utterance is ours.

    Args:
        heads: Attention heads; each has its own projections.
        head_size: Size of a query.
        narrowest: Smallest width, as a share of the utterance.
    """

    def __init__(self, heads: int, head_size: int, narrowest: float = 0.05) -> None:
        super().__init__()
        self.narrowest = narrowest
        spread = head_size**-0.5
        self.from_query = nn.Parameter(torch.empty(heads, head_size, head_size))
        self.from_mean = nn.Parameter(torch.empty(heads, head_size, head_size))
        self.to_centre_and_width = nn.Parameter(torch.empty(heads, head_size, 2))
        self.wide = nn.Parameter(torch.full((heads, 1), WIDE_AT_START))
        for weight in (self.from_query, self.from_mean):
            nn.init.uniform_(weight, -spread, spread)
        nn.init.uniform_(self.to_centre_and_width, -0.1 * spread, 0.1 * spread)

    def forward(self, query: Tensor, mask: Tensor) -> Focus:
        """Predict where each query looks.

        Args:
            query: (B, H, T, d).
            mask: (B, T).
        """
        mean = _mean_over_time(query, mask).transpose(0, 1)  # (H, B, d)
        each = query.transpose(0, 1)  # (H, B, T, d)
        # tanh(x) is 2 σ(2x) - 1, and torch's σ is six times as fast as its tanh on a CPU
        own = torch.bmm(each.flatten(1, 2), 2 * self.from_query).view_as(each)
        of_all = torch.bmm(mean, 2 * self.from_mean).unsqueeze(2)  # (H, B, 1, d)
        half = (own + of_all).sigmoid_().flatten(1, 2)  # (H, B·T, d)
        wanted = self.to_centre_and_width.mT  # (H, 2, d)
        found = 2 * torch.bmm(wanted, half.mT) - wanted.sum(-1, keepdim=True)  # (H, 2, B·T)
        found = found.view(-1, 2, *each.shape[1:3]).transpose(0, 2)  # (B, 2, H, T)
        centre, width = found.float().unbind(1)
        share = torch.sigmoid(width + self.wide) / 2
        return Focus(torch.sigmoid(centre), self.narrowest + (1 - self.narrowest) * share)


class HeadCalibration(nn.Module):
    """Give each head its own weight, from what all heads saw of the utterance (CA).

    ``w = 2 σ(W₂ relu(W₁ [z₁ … z_H]))`` with ``z_h`` the mean over time of head h. ``W₂`` starts at
    zero, so every weight starts at 1 and a model with CA starts as the same model without.

    Args:
        heads: Attention heads.
        head_size: Size of a head.
        hidden: Size between the two maps.
    """

    def __init__(self, heads: int, head_size: int, hidden: int = 32) -> None:
        super().__init__()
        self.squeeze = nn.Linear(heads * head_size, hidden)
        self.weigh = nn.Linear(hidden, heads)
        nn.init.zeros_(self.weigh.weight)
        nn.init.zeros_(self.weigh.bias)

    def forward(self, heads: Tensor, mask: Tensor) -> Tensor:
        """Weigh the heads (B, H, T, d) with weights in (0, 2), shape (B, H)."""
        seen = _mean_over_time(heads, mask).flatten(1)  # (B, H·d)
        return 2 * torch.sigmoid(self.weigh(torch.relu(self.squeeze(seen))))


class SelfAttention(nn.Module):
    """Multi-head self-attention with two optional parts: MHSA, FA or FA+CA.

    The focus is not added to a time × time matrix. Terms of ``-(p - μ)² / (2 s²)`` that do not
    depend on the key cancel in the softmax, and what is left, ``a p² + b p`` with ``a = -1/(2 s²)``
    and ``b = μ/s²``, is an inner product: it rides on a few more dimensions of query and key, and
    so does the mask. The stock fused kernel then does the rest in memory that grows with T, not T².

    Args:
        width: Size of a frame.
        heads: Attention heads; divides ``width``.
        focus: The focus of FA; ``None`` for plain attention.
        calibration: The head weights of CA; ``None`` for equal heads.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        focus: FocusBias | None = None,
        calibration: HeadCalibration | None = None,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(width, 3 * width)
        self.focus = focus
        self.calibration = calibration
        self.output = nn.Linear(width, width)

    def forward(
        self, frames: Tensor, mask: Tensor, *, inspect: bool = False
    ) -> tuple[Tensor, Attended | None]:
        """Attend within each utterance.

        Args:
            frames: (B, T, width).
            mask: (B, T); at least one frame of each utterance is valid.
            inspect: True also gives what there is to look at; False costs nothing.

        Returns:
            Frames (B, T, width), and ``Attended`` if asked for.
        """
        projected = self.project(frames).unflatten(-1, (3, self.heads, -1))  # (B, T, 3, H, d)
        query, key, value = (part.transpose(1, 2) for part in projected.unbind(2))  # (B, H, T, d)
        focus = self.focus(query, mask) if self.focus is not None else None
        attended = attend(query, key, value, mask, focus)  # (B, H, T, d)
        weights = None
        if self.calibration is not None:
            weights = self.calibration(attended, mask)  # (B, H)
            attended = attended * weights[..., None, None]
        output = self.output(attended.transpose(1, 2).flatten(2))
        if not inspect:
            return output, None
        received = received_attention(query, key, mask, focus)
        centre, width = focus if focus is not None else (None, None)
        return output, Attended(received, centre, width, weights)


def _mean_over_time(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over the valid frames of (B, H, T, d): (B, H, d)."""
    share = mask.to(values.dtype) / mask.sum(dim=1, keepdim=True).clamp_min(1)  # (B, T)
    heads, together = values.shape[1], values.transpose(1, 2).flatten(2)  # (B, T, H·d)
    return torch.bmm(share.unsqueeze(1), together).view(share.shape[0], heads, -1)
