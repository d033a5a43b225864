"""The network as a plain module: waveform to logits, and what there is to look at on the way."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from fcattn.attention import Attended, FocusBias, HeadCalibration, SelfAttention
from fcattn.config import ModelConfig, NetworkConfig
from fcattn.features import LogMel, length_mask
from fcattn.norm import MaskedNormReLU

TIME_STRIDE = 4
"""Log-mel frames that one frame of the attention blocks stands for."""


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


class ConvolutionStem(nn.Module):
    """Four convolutions from log-mel frames to the width of the attention blocks.

    Args:
        bands: Mel bands; a multiple of 16.
        sizes: Channels and width.
    """

    def __init__(self, bands: int, sizes: NetworkConfig) -> None:
        super().__init__()
        channels = (1, *sizes.stem_channels)
        strides = ((2, 2), (2, 2), (1, 2), (1, 2))  # (time, bands)
        self.layers = nn.ModuleList(
            ConvolutionLayer(before, after, stride)
            for before, after, stride in zip(channels[:-1], channels[1:], strides, strict=True)
        )
        self.to_width = nn.Linear(channels[-1] * (bands // 16), sizes.width)
        self.dropout = nn.Dropout(sizes.dropout)
        self.layers.to(memory_format=torch.channels_last)

    def forward(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Frames (B, T, bands) with lengths (B,) to (B, T/4, width) and their mask (B, T/4)."""
        maps = frames.unsqueeze(1)  # (B, 1, T, bands)
        for layer in self.layers:
            maps, lengths = layer(maps, lengths)
        flat = maps.transpose(1, 2).flatten(2)  # (B, T/4, channels·bands/16)
        return self.dropout(self.to_width(flat)), length_mask(lengths, flat.shape[1])


class ConvolutionLayer(nn.Module):
    """Convolution, batch norm over what is valid, ReLU; padding stays silent.

    A norm over the channels of a frame instead would take away its level, which is half of what an
    emotion is.

    Args:
        before: Channels in.
        after: Channels out.
        stride: Steps in (time, bands).
    """

    def __init__(self, before: int, after: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.stride = stride
        self.convolve = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
        nn.init.kaiming_normal_(self.convolve.weight, nonlinearity="relu")
        self.norm = MaskedNormReLU(after)

    def forward(self, maps: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Maps (B, before, T, bands) with lengths (B,) to (B, after, T/s, bands/s') and lengths."""
        step = self.stride[0]
        lengths = (lengths + step - 1) // step
        mask = length_mask(lengths, (maps.shape[2] + step - 1) // step)
        if self.training:
            return self.norm(self.convolve(maps), mask), lengths
        return self._all_at_once(maps) * mask[:, None, :, None], lengths

    def _all_at_once(self, maps: Tensor) -> Tensor:
        """All in one pass over the maps, as after training the norm is a part of the kernel."""
        scale, shift = self.norm.affine()
        kernel = self.convolve.weight * scale[:, None, None, None]
        return functional.conv2d(maps, kernel, shift, self.stride, padding=1).relu_()


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
