"""Waveform in, log-mel frames out; part of the model, so a file cannot meet the wrong features."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from fcattn.config import FeatureConfig
from fcattn.errors import DependencyError

FLOOR = 1e-10
"""Power below which a band counts as silent (-100 dB)."""


class LogMel(nn.Module):
    """Log-mel frames in dB, normalised by the mean and deviation of the training speakers.

    Frames are centred on multiples of the hop and the edges are padded with silence, so an
    utterance alone and the same utterance in a padded batch have the same frames.

    Args:
        config: Rate, window, hop and bands.

    Raises:
        DependencyError: If torchaudio does not load beside the installed torch.

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
        self.register_buffer("bank", _filter_bank(config, self.fft_size), persistent=False)

    def forward(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Compute normalised frames; padding is 0.

        Args:
            waveform: (B, samples) float32; what lies beyond an utterance's length is ignored.
            lengths: (B,) in samples.

        Returns:
            Frames (B, T, bands) and their lengths (B,) in frames.
        """
        level, frame_lengths = self.level_db(waveform, lengths)
        frames = (level - self.mean) / self.deviation
        return frames.masked_fill(~length_mask(frame_lengths, frames.shape[1])[..., None], 0), (
            frame_lengths
        )

    def level_db(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Band levels in dB before normalisation, (B, T, bands), and lengths in frames (B,)."""
        with torch.autocast(waveform.device.type, enabled=False):
            audible = length_mask(lengths, waveform.shape[1])
            spectrum = torch.stft(
                waveform.float() * audible,
                self.fft_size,
                self.config.hop,
                self.config.window,
                self.window,
                pad_mode="constant",
                return_complex=True,
            )  # (B, bins, T)
            power = spectrum.real.square() + spectrum.imag.square()
            level = 10 * torch.log10((power.mT @ self.bank).clamp_min(FLOOR))
        return level, lengths // self.config.hop + 1

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


def _filter_bank(config: FeatureConfig, fft_size: int) -> Tensor:
    try:
        from torchaudio.functional import melscale_fbanks
    except (ImportError, OSError) as error:
        raise DependencyError(
            f"torchaudio does not load beside torch {torch.__version__}: {error}. Install a pair "
            "that fits, for example: pip install --upgrade 'torch>=2.9' 'torchaudio>=2.9'"
        ) from error
    with torch.device("cpu"):  # torchaudio looks at the values, which a meta tensor has not
        bank = melscale_fbanks(
            fft_size // 2 + 1,
            config.low_hz,
            config.high_hz,
            config.mel_bands,
            config.sample_rate_hz,
            norm="slaney",
            mel_scale="slaney",
        )
    return cast(Tensor, bank)
