"""From a batch of waveforms to probabilities: whole clips, or the mean over their segments."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fcattn import audio
from fcattn.audio import Waveform
from fcattn.features import length_mask
from fcattn.model import EmotionNetwork


class NetworkScorer:
    """A network as a ``Scorer``.

    Args:
        network: In eval mode.
    """

    def __init__(self, network: EmotionNetwork) -> None:
        self.network = network
        self.labels = network.config.labels
        self.rate_hz = network.config.features.sample_rate_hz

    def scores(self, waveforms: Sequence[Waveform]) -> list[list[float]]:
        """Probabilities of each waveform."""
        device = self.network.features.mean.device
        padded, lengths = audio.batch(waveforms)
        found = batch_scores(
            self.network, torch.from_numpy(padded).to(device), torch.from_numpy(lengths).to(device)
        )
        return [[float(score) for score in row] for row in found.tolist()]


@torch.inference_mode()
def batch_scores(network: EmotionNetwork, waveform: Tensor, lengths: Tensor) -> Tensor:
    """Probabilities of whole clips, or the mean over their segments where the config asks for it.

    Args:
        network: In eval mode.
        waveform: (B, samples).
        lengths: (B,) in samples.

    Returns:
        (B, classes), rows sum to 1.
    """
    config = network.config
    if config.segment_s is None:
        return torch.softmax(network(waveform, lengths).float() / config.temperature, dim=1)
    rate = config.features.sample_rate_hz
    size, hop = round(config.segment_s * rate), round(config.segment_hop_s * rate)
    counts = ((lengths - size).clamp_min(0) + hop - 1) // hop + 1  # (B,) segments of each clip
    most = int(counts.max())
    padded = nn.functional.pad(waveform, (0, max(0, size + (most - 1) * hop - waveform.shape[1])))
    used = length_mask(counts, most)
    segments = padded.unfold(1, size, hop)[:, :most][used]  # (segments, size)
    left = lengths[:, None] - torch.arange(most, device=lengths.device) * hop
    logits = network(segments, left.clamp(1, size)[used])
    scores = torch.zeros(*used.shape, logits.shape[1], device=logits.device)
    scores[used] = torch.softmax(logits.float() / config.temperature, dim=1)
    return scores.sum(dim=1) / counts[:, None]
