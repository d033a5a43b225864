"""Changes that keep the emotion: speed, gain and noise on waveforms, masks and mixing on frames.

All work on a whole batch on its device, draw from torch's generator and return new tensors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

FAST = 128
"""Fourier transforms of a multiple of this many samples are fast; of others they may not be."""


@dataclass(frozen=True)
class Augmentation:
    """How much to change; 0 or an empty list turns a part off.

    Args:
        speeds: Speed factors in percent, one drawn for each batch; pitch moves along.
        gain_db: Largest change of level, up or down.
        colour_db: Largest change of the spectrum's shape, as of another voice or microphone.
        noise_snr_db: Lowest and highest signal-to-noise ratio of added noise.
        noise_share: Share of clips that get noise.
        time_masks: SpecAugment masks over time.
        time_mask_s: Longest of them.
        band_masks: SpecAugment masks over bands.
        band_mask: Most bands of one.
        mixup: Parameter α of the Beta distribution that mixes pairs of clips.
    """

    speeds: tuple[int, ...] = (90, 95, 100, 105, 110)
    gain_db: float = 3.0
    colour_db: float = 2.0
    noise_snr_db: tuple[float, float] = (15.0, 40.0)
    noise_share: float = 0.0
    time_masks: int = 1
    time_mask_s: float = 0.3
    band_masks: int = 1
    band_mask: int = 10
    mixup: float = 0.0


def change_waveform(waveform: Tensor, lengths: Tensor, how: Augmentation) -> tuple[Tensor, Tensor]:
    """Change speed, level and noise of (B, samples) with lengths (B,)."""
    if how.speeds:
        percent = how.speeds[int(torch.randint(len(how.speeds), ()))]
        waveform, lengths = change_speed(waveform, lengths, percent)
    if how.gain_db:
        waveform = change_gain(waveform, how.gain_db)
    if how.noise_share:
        waveform = add_noise(waveform, how.noise_snr_db, how.noise_share)
    return waveform, lengths


def change_frames(
    frames: Tensor, lengths: Tensor, deviation: Tensor, hop_s: float, how: Augmentation
) -> Tensor:
    """Change colour and hide parts of normalised frames (B, T, bands) with lengths (B,).

    Args:
        frames: Log-mel frames.
        lengths: In frames.
        deviation: What the bands were divided by, in dB (bands,).
        hop_s: Time from frame to frame.
        how: How much.
    """
    if how.colour_db:
        frames = change_colour(frames, deviation, how.colour_db)
    frames = mask_frames(frames, lengths, how.time_masks, round(how.time_mask_s / hop_s))
    return mask_bands(frames, how.band_masks, how.band_mask)


def change_speed(waveform: Tensor, lengths: Tensor, percent: int) -> tuple[Tensor, Tensor]:
    """Play (B, samples) at a speed in percent; returns waveform and lengths.

    The spectrum is cut or extended, so nothing folds over. Silence fills the waveform up to a size
    whose Fourier transform is fast, before and after.
    """
    if percent == 100:
        return waveform, lengths
    samples, common = waveform.shape[1], math.gcd(percent, 100)
    before, after = percent // common, 100 // common
    size = math.ceil(samples / (before * FAST)) * FAST
    spectrum = torch.fft.rfft(waveform, n=before * size)
    faster = torch.fft.irfft(spectrum, n=after * size) * (after / before)
    fewer = round(samples * 100 / percent)
    return faster[:, :fewer], (lengths * 100 // percent).clamp(1, fewer)


def change_gain(waveform: Tensor, most_db: float) -> Tensor:
    """Change the level of each clip of (B, samples) by up to ``most_db``."""
    change = most_db * (2 * torch.rand(len(waveform), 1, device=waveform.device) - 1)
    return waveform * 10 ** (change / 20)


def add_noise(waveform: Tensor, snr_db: tuple[float, float], share: float) -> Tensor:
    """Add noise between white and brown to a share of the clips of (B, samples)."""
    device = waveform.device
    chosen = torch.nonzero(torch.rand(len(waveform), device=device) < share).squeeze(1)
    clean, count = waveform[chosen], len(chosen)
    white = torch.randn_like(clean)
    tilt = 0.9 * torch.rand(count, 1, device=device)
    noise = functional.pad(white[:, 1:] + tilt * white[:, :-1], (1, 0))
    ratio = snr_db[0] + (snr_db[1] - snr_db[0]) * torch.rand(count, 1, device=device)
    wanted = clean.square().mean(dim=1, keepdim=True).sqrt() * 10 ** (-ratio / 20)
    found = noise.square().mean(dim=1, keepdim=True).sqrt().clamp_min(1e-6)
    return waveform.index_add(0, chosen, noise * (wanted / found))


def change_colour(frames: Tensor, deviation: Tensor, most_db: float, knots: int = 5) -> Tensor:
    """Add a random curve over the bands to each clip, another voice or microphone.

    Args:
        frames: Normalised (B, T, bands).
        deviation: What the bands were divided by, in dB (bands,).
        most_db: Largest change.
        knots: Points that the curve is drawn through.
    """
    points = most_db * (2 * torch.rand(len(frames), 1, knots, device=frames.device) - 1)
    curve = functional.interpolate(points, frames.shape[2], mode="linear", align_corners=True)
    return frames + curve / deviation


def mask_frames(frames: Tensor, lengths: Tensor, masks: int, longest: int) -> Tensor:
    """Silence up to ``longest`` frames, ``masks`` times, in (B, T, bands) (SpecAugment)."""
    return frames.masked_fill(_spans(frames.shape[1], lengths, masks, longest)[..., None], 0)


def mask_bands(frames: Tensor, masks: int, most: int) -> Tensor:
    """Silence up to ``most`` neighbouring bands, ``masks`` times, in (B, T, bands)."""
    bands = torch.full((len(frames),), frames.shape[2], device=frames.device)
    return frames.masked_fill(_spans(frames.shape[2], bands, masks, most)[:, None], 0)


def mix(
    frames: Tensor, lengths: Tensor, targets: Tensor, alpha: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Mix each clip with another of the batch (mixup, Zhang et al., ICLR 2018).

    Args:
        frames: (B, T, bands).
        lengths: (B,).
        targets: (B, classes), probabilities.
        alpha: Of the Beta distribution; 0 mixes nothing.

    Returns:
        Frames, lengths (the longer of each pair) and targets.
    """
    if not alpha:
        return frames, lengths, targets
    order = torch.randperm(len(frames), device=frames.device)
    drawn = torch.distributions.Beta(alpha, alpha).sample((len(frames),)).to(frames.device)
    own = torch.maximum(drawn, 1 - drawn)
    mixed = frames + (1 - own)[:, None, None] * (frames[order] - frames)
    return (
        mixed,
        torch.maximum(lengths, lengths[order]),
        targets + (1 - own)[:, None] * (targets[order] - targets),
    )


def _spans(size: int, lengths: Tensor, count: int, longest: int) -> Tensor:
    """True inside ``count`` random spans of each row: (B, size)."""
    device = lengths.device
    span = torch.rand(len(lengths), count, 1, device=device) * longest
    start = torch.rand(len(lengths), count, 1, device=device) * (lengths[:, None, None] - span)
    place = torch.arange(size, device=device)
    return ((place >= start) & (place < start + span)).any(dim=1)
