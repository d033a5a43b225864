"""What the training speakers sound like, and how often each class occurs."""

from __future__ import annotations

import torch
from torch import Tensor

from fcattn.data.module import EmotionDataModule
from fcattn.features import LogMel, length_mask

STATISTICS_CLIPS = 2_000
"""Training clips that the mean and deviation of the features are measured on."""


def class_weights(data: EmotionDataModule) -> Tensor:
    """Weights (classes,) that make every class count alike; their mean over clips is 1."""
    counts = torch.tensor(list(data.class_counts().values()), dtype=torch.float32)
    return counts.sum() / (len(counts) * counts)


@torch.no_grad()
def measure_features(features: LogMel, data: EmotionDataModule) -> None:
    """Set the mean and deviation of the features to those of the training speakers."""
    clips, device = data.clips("train"), features.mean.device
    step = max(1, len(clips) // STATISTICS_CLIPS)
    places = list(range(0, len(clips), step))
    count, total, squares = 0, torch.zeros(()), torch.zeros(())
    for start in range(0, len(places), 64):
        batch = clips[0, places[start : start + 64]]
        level, lengths = features.level_db(batch.waveform.to(device), batch.lengths.to(device))
        valid = level[length_mask(lengths, level.shape[1])].double()  # (frames, bands)
        count += len(valid)
        total = total + valid.sum(dim=0)
        squares = squares + valid.square().sum(dim=0)
    mean = total / count
    features.set_statistics(mean.float(), (squares / count - mean.square()).sqrt().float())
