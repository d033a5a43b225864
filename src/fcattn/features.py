"""Waveform in, log-mel frames out; part of the model, so a file cannot meet the wrong features."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from fcattn.config import FeatureConfig

FLOOR = 1e-10
"""Power below which a band counts as silent (-100 dB)."""


class LogMel(nn.Module):
    """Log-mel frames in dB, normalised by the mean and deviation of the training speakers.

    Frames are centred on multiples of the hop and the edges are padded with silence, so an
    utterance alone and the same utterance in a padded batch have the same frames.

    Args:
        config: Rate, window, hop and bands.

    Example:
        >>> mel = LogMel(FeatureConfig())
        >>> frames, lengths = mel(torch.zeros(2, 16_000), torch.tensor([16_000, 8_000]))
        >>> frames.shape, lengths.tolist()
        (torch.Size([2, 101, 64]), [101, 51])
    """

    mean: Tensor
    deviation: Tensor
    window: Tensor
    bank: Tensor

    def __init__(self, config: FeatureConfig) -> None:
        super().__init__()
        self.config = config
        self.fft_size = 1 << (config.window - 1).bit_length()
        self.register_buffer("mean", torch.zeros(config.mel_bands))
        self.register_buffer("deviation", torch.ones(config.mel_bands))
        self.register_buffer("window", torch.hann_window(config.window), persistent=False)
        self.register_buffer("bank", filter_bank(config, self.fft_size), persistent=False)

    def forward(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Compute normalised frames; padding is 0.

        Args:
            waveform: (B, samples) float32; what lies beyond an utterance's length is ignored.
            lengths: (B,) in samples.

        Returns:
            Frames (B, T, bands) and their lengths (B,) in frames.
        """
        return self.normalise(*self.level_db(waveform, lengths))

    def level_db(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Band levels in dB before normalisation, (B, T, bands), and lengths in frames (B,)."""
        with torch.autocast(waveform.device.type, enabled=False):
            spectrum = torch.stft(
                self.audible(waveform.float(), lengths),
                self.fft_size,
                self.config.hop,
                self.config.window,
                self.window,
                pad_mode="constant",
                return_complex=True,
            )  # (B, bins, T)
            power = torch.addcmul(spectrum.real.square(), spectrum.imag, spectrum.imag)
            return self.to_db(power.mT @ self.bank, lengths)

    def audible(self, waveform: Tensor, lengths: Tensor) -> Tensor:
        """Waveform (B, samples) with silence beyond the lengths (B,)."""
        return waveform * length_mask(lengths, waveform.shape[1])

    def to_db(self, power: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Levels of the powers of bands (B, T, bands), and lengths (B,) in frames."""
        level = 10 * torch.log10(power.clamp_min(FLOOR))
        frames = lengths // self.config.hop + 1
        if self.config.top_db is not None:
            level = _below_loudest(level, frames, self.config.top_db)
        return level, frames

    def normalise(self, level: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised frames of levels (B, T, bands); padding is 0. The lengths pass through."""
        frames = (level - self.mean) / self.deviation
        return frames.masked_fill(~length_mask(lengths, level.shape[1])[..., None], 0), lengths

    def set_statistics(self, mean: Tensor, deviation: Tensor) -> None:
        """Take the mean and deviation of the training speakers' levels, (bands,) each in dB."""
        self.mean.copy_(mean)
        self.deviation.copy_(deviation.clamp_min(1e-3))


def length_mask(lengths: Tensor, size: int) -> Tensor:
    """True where valid: (B,) lengths to (B, size).

    Example:
        >>> length_mask(torch.tensor([1, 3]), 3).int().tolist()
        [[1, 0, 0], [1, 1, 1]]
    """
    return torch.arange(size, device=lengths.device) < lengths[:, None]


def smooth_levels_db(waveform: Tensor, config: FeatureConfig) -> Tensor:
    """RMS level of each log-mel frame in dB, smoothed over five frames.

    Args:
        waveform: (B, samples), zero beyond the end of an utterance.
        config: Window and hop.

    Returns:
        (B, T), silence at -100 dB.
    """
    window, hop = config.window, config.hop
    power = functional.pad(waveform.square(), (window // 2, window // 2))[:, None]
    mean = functional.avg_pool1d(power, window, hop)[:, :, : waveform.shape[1] // hop + 1]
    level = 10 * torch.log10(mean.clamp_min(FLOOR))
    return functional.avg_pool1d(level, 5, 1, padding=2, count_include_pad=False)[:, 0]


def _below_loudest(level: Tensor, lengths: Tensor, top_db: float) -> Tensor:
    """Levels (B, T, bands) below the loudest of each utterance, at most ``top_db`` below."""
    mask = length_mask(lengths, level.shape[1])[..., None]
    loudest = level.masked_fill(~mask, -torch.inf).amax(dim=(1, 2), keepdim=True)
    return (level - loudest).clamp_min(-top_db)


def filter_bank(config: FeatureConfig, fft_size: int) -> Tensor:
    """Triangles of equal area on the mel scale of Slaney's Auditory Toolbox (1998).

    Args:
        config: Rate, number of bands, lowest and highest frequency.
        fft_size: Points of the Fourier transform.

    Returns:
        (fft_size / 2 + 1, bands), what each band takes of the power of each bin.
    """
    with torch.device("cpu"):
        bins_hz = torch.linspace(0, config.sample_rate_hz / 2, fft_size // 2 + 1)
        ends = (_hz_to_mel(config.low_hz), _hz_to_mel(config.high_hz))
        edges_hz = _mel_to_hz(torch.linspace(*ends, config.mel_bands + 2, dtype=torch.float64))
        low, centre, high = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]  # (bands,) each
        rise = (bins_hz[:, None] - low) / (centre - low)
        fall = (high - bins_hz[:, None]) / (high - centre)
        return (torch.minimum(rise, fall).clamp_min(0) * 2 / (high - low)).float()


LINEAR_HZ, LINEAR_MEL, LOG_STEP = 1000.0, 15.0, math.log(6.4) / 27
"""The scale is linear up to 1 kHz, which is 15 mel, and logarithmic above: 27 mel to 6.4 kHz."""


def _hz_to_mel(hz: float) -> float:
    if hz < LINEAR_HZ:
        return hz * LINEAR_MEL / LINEAR_HZ
    return LINEAR_MEL + math.log(hz / LINEAR_HZ) / LOG_STEP


def _mel_to_hz(mel: Tensor) -> Tensor:
    linear = mel * LINEAR_HZ / LINEAR_MEL
    return torch.where(
        mel < LINEAR_MEL, linear, LINEAR_HZ * torch.exp((mel - LINEAR_MEL) * LOG_STEP)
    )
