"""A network and sound in, predictions out: one, many, in padded batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fcattn import audio
from fcattn.audio import Source, Waveform
from fcattn.errors import AudioError
from fcattn.features import length_mask
from fcattn.model import EmotionNetwork

BATCH_S = 64.0
"""Padded audio of one batch, in seconds."""

POOL = 256
"""Clips that are read and sorted by length together."""


@dataclass(frozen=True)
class Prediction:
    """What the model heard.

    Attributes:
        label: Most probable class.
        scores: Probability of each class by name, most probable first; they sum to 1.

    Example:
        >>> prediction = Prediction.of(("angry", "sad"), [0.25, 0.75])
        >>> prediction.label, prediction.confidence
        ('sad', 0.75)
    """

    label: str
    scores: dict[str, float]

    @property
    def confidence(self) -> float:
        """Probability of ``label``."""
        return self.scores[self.label]

    @classmethod
    def of(cls, labels: Sequence[str], scores: Sequence[float]) -> Prediction:
        """Pair labels and scores."""
        ranked = sorted(zip(labels, scores, strict=True), key=lambda pair: -pair[1])
        return cls(ranked[0][0], dict(ranked))


def predict(
    network: EmotionNetwork, source: Source, sample_rate_hz: int | None = None
) -> Prediction:
    """Predict one clip.

    Args:
        network: In eval mode.
        source: What ``audio.load`` takes.
        sample_rate_hz: Rate of an array or tensor.

    Raises:
        AudioError: If the source is not usable sound.
    """
    waveform = audio.load(source, network.config.features.sample_rate_hz, sample_rate_hz)
    return _run(network, [waveform])[0]


def predict_many(
    network: EmotionNetwork,
    sources: Sequence[Source],
    sample_rate_hz: int | None = None,
) -> Iterator[tuple[int, Prediction | AudioError]]:
    """Predict clips in padded batches of like length.

    Args:
        network: In eval mode.
        sources: What ``audio.load`` takes, each.
        sample_rate_hz: Rate of arrays and tensors.

    Yields:
        Place of the source, and its prediction or what is wrong with it.
    """
    for start in range(0, len(sources), POOL):
        heard: dict[int, Waveform] = {}
        for place, source in enumerate(sources[start : start + POOL], start):
            try:
                heard[place] = audio.load(
                    source, network.config.features.sample_rate_hz, sample_rate_hz
                )
            except AudioError as error:
                yield place, error
        for places in _batches(heard, network.config.features.sample_rate_hz):
            yield from zip(places, _run(network, [heard[place] for place in places]), strict=True)


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


def _run(network: EmotionNetwork, waveforms: list[Waveform]) -> list[Prediction]:
    device = network.features.mean.device
    waveform, lengths = audio.batch(waveforms)
    scores = batch_scores(network, waveform.to(device), lengths.to(device)).cpu()
    return [Prediction.of(network.config.labels, row) for row in scores.tolist()]


def _batches(heard: dict[int, Waveform], rate_hz: int) -> Iterator[list[int]]:
    """Places in batches of like length, each at most ``BATCH_S`` of padded audio or one clip."""
    pending: list[int] = []
    for place in sorted(heard, key=lambda place: -len(heard[place])):
        if pending and (len(pending) + 1) * len(heard[pending[0]]) > BATCH_S * rate_hz:
            yield pending
            pending = []
        pending.append(place)
    if pending:
        yield pending
