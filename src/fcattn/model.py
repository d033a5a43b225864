"""The network as a plain module: waveform to logits, and what there is to look at on the way."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from fcattn.attention import Attended, FocusBias, HeadCalibration, SelfAttention
from fcattn.config import ModelConfig, NetworkConfig
from fcattn.features import LogMel
from fcattn.stem import ConvolutionStem


class Inspection(NamedTuple):
    """What a forward pass shows of itself.

    Attributes:
        logits: (B, classes).
        blocks: What each attention block attended to, first block first.
        pooled: Attention of the final pooling on each frame (B, T); sums to 1 over T.
        lengths: Valid frames T of each utterance (B,).
    """

    logits: Tensor
    blocks: list[Attended]
    pooled: Tensor
    lengths: Tensor


class EmotionNetwork(nn.Module):
    """One small network for speech emotion, in three variants of attention.

    Log-mel frames, a convolution stem (time ÷ 4, bands ÷ 16), attention blocks, attentive
    statistics pooling, logits. Padding changes neither scores nor gradients, and processes that
    share a batch take the step of one that has it all.

    Args:
        config: Labels, attention and sizes.

    Example:
        >>> network = EmotionNetwork(ModelConfig(labels=("angry", "sad"))).eval()
        >>> network(torch.zeros(1, 16_000), torch.tensor([16_000])).shape
        torch.Size([1, 2])
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        sizes = config.network
        self.config = config
        self.features = LogMel(config.features)
        self.stem = ConvolutionStem(config.features.mel_bands, sizes)
        self.blocks = nn.ModuleList(
            AttentionBlock(sizes, config.attention) for _ in range(sizes.blocks)
        )
        self.norm = nn.LayerNorm(sizes.width)
        self.pool = AttentivePooling(sizes.width)
        self.dropout = nn.Dropout(sizes.dropout)
        self.classify = nn.Linear(2 * sizes.width, len(config.labels))

    def forward(self, waveform: Tensor, lengths: Tensor) -> Tensor:
        """Classify utterances.

        Args:
            waveform: (B, samples) float32 at ``config.features.sample_rate_hz``.
            lengths: (B,) in samples, at least 1.

        Returns:
            Logits (B, classes).
        """
        return self.from_frames(*self.features(waveform, lengths))

    def from_frames(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Logits (B, classes) of normalised log-mel frames (B, T, bands) with lengths (B,)."""
        return self._run(frames, lengths, inspect=False).logits

    def inspect(self, waveform: Tensor, lengths: Tensor) -> Inspection:
        """Classify like ``forward`` and keep what each attention block attended to."""
        return self.inspect_frames(*self.features(waveform, lengths))

    def inspect_frames(self, frames: Tensor, lengths: Tensor) -> Inspection:
        """Inspect normalised log-mel frames (B, T, bands) with lengths (B,)."""
        return self._run(frames, lengths, inspect=True)

    def _run(self, frames: Tensor, lengths: Tensor, inspect: bool) -> Inspection:
        hidden, mask = self.stem(frames, lengths)  # (B, T/4, width)
        seen = []
        for block in self.blocks:
            hidden, attended = block(hidden, mask, inspect)
            seen.append(attended)
        pooled, weights = self.pool(self.norm(hidden), mask)
        logits = self.classify(self.dropout(pooled))
        return Inspection(logits, seen if inspect else [], weights, mask.sum(dim=1))


class AttentionBlock(nn.Module):
    """Pre-norm self-attention and feed-forward, each with a residual.

    Args:
        sizes: Width, heads and the rest.
        attention: ``mhsa``, ``fa`` or ``fa_ca``; the one place where the variants part.
    """

    def __init__(self, sizes: NetworkConfig, attention: str) -> None:
        super().__init__()
        head_size = sizes.width // sizes.heads
        focus = FocusBias(sizes.heads, head_size, sizes.narrowest_focus)
        calibration = HeadCalibration(sizes.heads, head_size)
        self.attend = SelfAttention(
            sizes.width,
            sizes.heads,
            focus if attention in ("fa", "fa_ca") else None,
            calibration if attention == "fa_ca" else None,
        )
        self.norm = nn.LayerNorm(sizes.width)
        self.dropout = nn.Dropout(sizes.dropout)
        self.feedforward = nn.Sequential(
            nn.LayerNorm(sizes.width),
            nn.Linear(sizes.width, sizes.feedforward),
            nn.GELU(),
            nn.Dropout(sizes.dropout),
            nn.Linear(sizes.feedforward, sizes.width),
            nn.Dropout(sizes.dropout),
        )

    def forward(
        self, frames: Tensor, mask: Tensor, inspect: bool
    ) -> tuple[Tensor, Attended | None]:
        """Frames (B, T, width) with mask (B, T) to frames, and ``Attended`` if asked for."""
        attended, seen = self.attend(self.norm(frames), mask, inspect=inspect)
        frames = frames + self.dropout(attended)
        return frames + self.feedforward(frames), seen


class AttentivePooling(nn.Module):
    """Attention-weighted mean and deviation over time (Okabe et al., INTERSPEECH 2018).

    Args:
        width: Size of a frame.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.score = nn.Sequential(
            nn.Linear(width, width // 2), nn.Tanh(), nn.Linear(width // 2, 1)
        )

    def forward(self, frames: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Frames (B, T, width) with mask (B, T) to (B, 2·width) and the weights (B, T)."""
        scores = self.score(frames).squeeze(-1).float().masked_fill(~mask, float("-inf"))
        weights = torch.softmax(scores, dim=1)  # (B, T)
        share, exact = weights[:, None], frames.float()
        mean = share @ exact  # (B, 1, width)
        variance = share @ (exact - mean).square()
        return torch.cat((mean, (variance + 1e-5).sqrt()), dim=-1).squeeze(1), weights
