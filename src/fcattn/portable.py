"""The network in operations that every runtime has, for an export."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from fcattn.features import LogMel
from fcattn.model import EmotionNetwork


class PortableNetwork(nn.Module):
    """The network with the Fourier transform written as products, which every runtime has.

    A periodic Hann window is symmetric, ``w[n] = w[N - n]``, and a shift in time leaves power as it
    is. Seen from its middle, the sums of opposite samples meet cosines alone and their differences
    meet sines alone, which halves the work.

    Args:
        network: In eval mode.
    """

    cosines: Tensor
    sines: Tensor

    def __init__(self, network: EmotionNetwork) -> None:
        super().__init__()
        self.network = network
        cosines, sines = _fourier_basis(network.features)
        self.register_buffer("cosines", cosines)
        self.register_buffer("sines", sines)

    def forward(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (B, classes) and received attention (B, T)."""
        features = self.network.features
        power = self._power(features.audible(waveform, lengths))
        frames, frame_lengths = features.normalise(*features.to_db(power, lengths))
        seen = self.network.inspect_frames(frames, frame_lengths)
        scores = torch.softmax(seen.logits / self.network.config.temperature, dim=1)
        return scores, seen.blocks[-1].received.mean(dim=1)

    def _power(self, waveform: Tensor) -> Tensor:
        """Power spectrum (B, T, bins) of (B, samples)."""
        frames = self._frames(waveform)
        half = frames.shape[2] // 2
        before, after = frames[..., 1 : half + 1], frames[..., -half:].flip(-1)
        real, imaginary = (before + after) @ self.cosines, (before - after) @ self.sines
        return real * real + imaginary * imaginary

    def _frames(self, waveform: Tensor) -> Tensor:
        """Overlapping windows (B, T, window), put together from rows that hop and window share."""
        window, hop = self.network.features.config.window, self.network.features.config.hop
        row = math.gcd(window, hop)
        padded = nn.functional.pad(waveform, (window // 2, window // 2 + row))
        rows = padded[:, : padded.shape[1] // row * row].reshape(waveform.shape[0], -1, row)
        starts = torch.arange(waveform.shape[1] // hop + 1, device=waveform.device) * (hop // row)
        places = starts[:, None] + torch.arange(window // row, device=waveform.device)
        picked = rows.index_select(1, places.flatten())
        return picked.reshape(waveform.shape[0], starts.shape[0], window)


def _fourier_basis(features: LogMel) -> tuple[Tensor, Tensor]:
    """Windowed cosines and sines, (window / 2, bins) each, of samples 1, 2, … of the window."""
    window = features.config.window
    sample = torch.arange(1, window // 2 + 1, dtype=torch.float64)
    share = features.window[1 : window // 2 + 1].double()
    share = torch.where(2 * sample == window, share / 2, share)  # the middle is its own opposite
    bins = torch.arange(features.fft_size // 2 + 1, dtype=torch.float64)
    angle = 2 * torch.pi * (sample - window / 2)[:, None] * bins / features.fft_size
    return (share[:, None] * angle.cos()).float(), (share[:, None] * angle.sin()).float()
