"""From log-mel frames to the frames of the attention blocks: four convolutions."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from fcattn.config import NetworkConfig
from fcattn.features import length_mask
from fcattn.norm import MaskedNormReLU

TIME_STRIDE = 4
"""Log-mel frames that one frame of the attention blocks stands for."""


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
        maps, mask = frames.unsqueeze(1), length_mask(lengths, frames.shape[1])
        for layer in self.layers:  # (B, 1, T, bands) to (B, channels, T/4, bands/16)
            maps, mask = layer(maps, mask)
        return self.dropout(self.to_width(maps.transpose(1, 2).flatten(2))), mask


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

    def forward(self, maps: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Maps (B, before, T, bands) with mask (B, T) to (B, after, T/s, bands/s') and theirs."""
        mask = mask[:, :: self.stride[0]]
        if self.training:
            return self.norm(self.convolve(maps), mask), mask
        maps = self._all_at_once(maps)
        return maps.mul_(mask[:, None, :, None].expand(-1, 1, -1, maps.shape[3])), mask

    def _all_at_once(self, maps: Tensor) -> Tensor:
        """All in one pass over the maps, as after training the norm is a part of the kernel."""
        scale, shift = self.norm.affine()
        kernel = self.convolve.weight * scale[:, None, None, None]
        return functional.conv2d(maps, kernel, shift, self.stride, padding=1).relu_()
