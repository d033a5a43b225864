"""The network in operations that every runtime has, for an export."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from fcattn.features import LogMel
from fcattn.model import EmotionNetwork


class PortableNetwork(nn.Module):
    """The network with the Fourier transform written as products, which every runtime has.

    Two symmetries leave a third of the work. A shift in time leaves power as it is, and a periodic
    Hann window is symmetric: seen from its middle, the sums of opposite samples meet cosines alone
    and their differences meet sines alone. And ``cos(2πk(N/2 - n)/N) = (-1)^k cos(2πkn/N)``, with a
    minus for sines: samples at ``n`` and ``N/2 - n`` meet the same row, but for a sign that the
    even and the odd bins disagree on.

    Args:
        network: In eval mode.
    """

    cosines_even: Tensor
    cosines_odd: Tensor
    sines_even: Tensor
    sines_odd: Tensor
    bank: Tensor
    fade: Tensor

    def __init__(self, network: EmotionNetwork) -> None:
        super().__init__()
        self.network = network
        for name, basis in _fourier_basis(network.features).items():
            self.register_buffer(f"{name}_even", basis[:, ::2].contiguous())
            self.register_buffer(f"{name}_odd", basis[:, 1::2].contiguous())
        bank = network.features.bank
        self.register_buffer("bank", torch.cat((bank[::2], bank[1::2])))
        self.register_buffer("fade", _half_window(network.features))

    def forward(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (B, classes) and received attention (B, T)."""
        features = self.network.features
        power = self._power(features.audible(waveform, lengths)) @ self.bank
        frames, frame_lengths = features.normalise(*features.to_db(power, lengths))
        seen = self.network.inspect_frames(frames, frame_lengths)
        scores = torch.softmax(seen.logits / self.network.config.temperature, dim=1)
        return scores, seen.blocks[-1].received.mean(dim=1)

    def _power(self, waveform: Tensor) -> Tensor:
        """Power spectrum (B, T, bins) of (B, samples), even bins before odd ones."""
        frames = self._frames(waveform)
        half = self.fade.shape[0]
        after, before = frames[..., -half:], frames[..., 1 : half + 1].flip(-1)
        near, far = self._split((after + before) * self.fade)
        real_even, real_odd = (near + far) @ self.cosines_even, (near - far) @ self.cosines_odd
        near, far = self._split((after - before) * self.fade)
        imag_even, imag_odd = (near - far) @ self.sines_even, (near + far) @ self.sines_odd
        even = real_even * real_even + imag_even * imag_even
        odd = real_odd * real_odd + imag_odd * imag_odd
        return torch.cat((even, odd), dim=-1)

    def _split(self, half: Tensor) -> tuple[Tensor, Tensor]:
        """Samples from the middle on (B, T, samples): near ones and far ones, row by row."""
        rows = self.cosines_even.shape[0]
        after = rows - self.network.features.fft_size // 4  # rows that no far sample meets
        before = 2 * rows - half.shape[-1] - after
        return half[..., :rows], nn.functional.pad(half[..., rows:].flip(-1), (before, after))

    def _frames(self, waveform: Tensor) -> Tensor:
        """Overlapping windows (B, T, window), put together from rows that hop and window share."""
        window, hop = self.network.features.config.window, self.network.features.config.hop
        row = math.gcd(window, hop)
        padded = nn.functional.pad(waveform, ((window + 1) // 2, window // 2 + row))
        rows = padded[:, : padded.shape[1] // row * row].reshape(waveform.shape[0], -1, row)
        starts = torch.arange(waveform.shape[1] // hop + 1, device=waveform.device) * (hop // row)
        places = starts[:, None] + torch.arange(window // row, device=waveform.device)
        picked = rows.index_select(1, places.flatten())
        return picked.reshape(waveform.shape[0], starts.shape[0], window)


def _half_window(features: LogMel) -> Tensor:
    """The window from its middle on (window / 2,)."""
    size = features.config.window
    half = features.window[-(size // 2) :].clone()
    if size % 2 == 0:
        half[0] /= 2  # the middle is its own opposite
    return half


def _fourier_basis(features: LogMel) -> dict[str, Tensor]:
    """Cosines and sines (rows, bins) of the distances from the middle, up to a quarter."""
    size, points = features.config.window, features.fft_size
    first = size % 2 / 2  # an odd window has its middle between two samples
    distance = torch.arange(first, points // 4 + 0.6 - first, dtype=torch.float64)
    angle = 2 * torch.pi * distance[:, None] * torch.arange(points // 2 + 1) / points
    return {"cosines": angle.cos().float(), "sines": angle.sin().float()}
