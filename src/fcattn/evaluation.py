"""What a network says of a split, and the figures of it: the one way that results are made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fcattn import metrics
from fcattn.data.clips import Batch
from fcattn.data.module import EmotionDataModule, Split
from fcattn.features import smooth_levels_db
from fcattn.judged import Judged
from fcattn.metrics import Alignment
from fcattn.model import EmotionNetwork
from fcattn.scores import batch_scores
from fcattn.stem import TIME_STRIDE

BATCH = 32
TEMPERATURES = np.geomspace(0.25, 4.0, 161)
"""Candidates, about 2 % apart."""

CAUTION = (
    "These speakers also chose the checkpoint and the temperature, so the figures are hopeful."
)


def judge(network: EmotionNetwork, data: EmotionDataModule, split: Split) -> Judged:
    """Run a network in eval mode over the whole clips of a split."""
    clips = data.clips(split)
    scores = np.zeros((len(clips), len(data.labels)))
    for batch in _batches(data, split):
        found = batch_scores(network, batch.waveform, batch.lengths)
        scores[batch.places.numpy()] = found.double().cpu().numpy()
    return Judged(
        data.labels,
        np.array([one.id for one in clips.utterances]),
        np.array([one.speaker for one in clips.utterances]),
        np.full(len(clips), data.fold),
        np.full(len(clips), data.seed),
        clips.classes.numpy(),
        scores,
    )


def calibrate(network: EmotionNetwork, data: EmotionDataModule) -> None:
    """Give a network the temperature that fits the validation speakers (Guo et al., ICML 2017)."""
    judged = judge(network, data, "validation")
    logits = np.log(np.maximum(judged.scores, 1e-12)) * network.config.temperature
    best = min(TEMPERATURES, key=lambda one: _surprise(logits / one, judged.truth))
    network.config = replace(network.config, temperature=float(best))


def figures(judged: Judged) -> dict[str, Any]:
    """UA, WA, F1 with intervals, calibration error, recalls and confusion, as plain data."""
    predicted, labels, who = judged.predicted, judged.labels, judged.talkers
    count = len(labels)
    confusion = metrics.confusion_matrix(judged.truth, predicted, count)
    measures = {
        "UA": metrics.unweighted_accuracy,
        "WA": metrics.weighted_accuracy,
        "F1": metrics.weighted_f1,
    }
    recall = confusion.diagonal() / np.maximum(confusion.sum(axis=1), 1)
    return {
        "utterances": len(who),
        "speakers": sorted(set(who.tolist())),
        **{
            name: metrics.speaker_interval(
                judged.truth, predicted, who.tolist(), count, each
            )._asdict()
            for name, each in measures.items()
        },
        "ECE": metrics.calibration_error(judged.scores, judged.truth),
        "recall": dict(zip(labels, recall.tolist(), strict=True)),
        "confusion": confusion.tolist(),
    }


def measure_alignment(
    network: EmotionNetwork, data: EmotionDataModule, split: Split
) -> dict[str, float | None]:
    """Mean attention–amplitude alignment over the utterances of a split; last attention block."""
    features = network.config.features
    frame_s = TIME_STRIDE * features.hop_ms / 1000
    found: list[Alignment] = []
    for batch in _batches(data, split):
        with torch.inference_mode():
            seen = network.inspect(batch.waveform, batch.lengths)
        levels = smooth_levels_db(batch.waveform, features)[:, ::TIME_STRIDE]
        last = seen.blocks[-1]
        for row, length in enumerate(seen.lengths.tolist()):
            received = last.received[row, :, :length].mean(dim=0)
            centres = None if last.centre is None else last.centre[row, :, :length].numpy()
            found.append(
                metrics.alignment(received.numpy(), levels[row, :length].numpy(), frame_s, centres)
            )
    focus = [one.focus_hit for one in found if one.focus_hit is not None]
    return {
        "correlation": float(np.mean([one.correlation for one in found])),
        "peak_hit": float(np.mean([one.peak_hit for one in found])),
        "focus_hit": float(np.mean(focus)) if focus else None,
    }


def _batches(data: EmotionDataModule, split: Split) -> Iterator[Batch]:
    """Whole clips of a split, longest first."""
    clips = data.clips(split)
    lengths = clips.lengths()
    order = sorted(range(len(clips)), key=lambda place: -lengths[place])
    for start in range(0, len(order), BATCH):
        yield clips[0, order[start : start + BATCH]]


def _surprise(logits: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """Mean negative log-likelihood of the truth."""
    highest = logits.max(axis=1, keepdims=True)
    total = highest[:, 0] + np.log(np.exp(logits - highest).sum(axis=1))
    return float(np.mean(total - logits[np.arange(len(truth)), truth]))
