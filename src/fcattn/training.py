"""Training: one LightningModule and its three children, which differ in the attention alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from lightning import LightningModule, seed_everything
from torch import Tensor
from torch.nn import functional
from torchmetrics.classification import MulticlassConfusionMatrix

from fcattn.config import FeatureConfig, ModelConfig, NetworkConfig
from fcattn.data import augment
from fcattn.data.augment import Augmentation
from fcattn.data.module import Batch, EmotionDataModule
from fcattn.errors import FcattnError
from fcattn.features import LogMel, length_mask
from fcattn.metrics import summary
from fcattn.model import EmotionNetwork
from fcattn.predict import batch_scores

STATISTICS_CLIPS = 2_000
"""Training clips that the mean and deviation of the features are measured on."""


@dataclass(frozen=True)
class Optimisation:
    """How the weights are learnt: AdamW with warm-up and a cosine.

    Args:
        learning_rate: Highest rate.
        weight_decay: Of the matrices; biases and norms have none.
        warmup: Share of all steps in which the rate rises.
        label_smoothing: Share of the target spread over all classes.
    """

    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warmup: float = 0.1
    label_smoothing: float = 0.1


class EmotionTask(LightningModule):
    """Train and test an ``EmotionNetwork``; use a child, which names the attention.

    Statistics of the features and class weights come from the data module's training speakers when
    the fit begins. Every epoch seeds torch's generator anew, so that a resumed run draws what an
    unbroken run draws.

    Args:
        labels: Class names in the order of the logits; the CLI takes them from the data module.
        features: Log-mel settings.
        network: Sizes.
        optimisation: Learning.
        augmentation: Changes of the training clips.
        segment_s: Score overlapping segments of this length and average them; ``null``: whole clip.
        segment_hop_s: Step between segments.
        seed: Of everything random after the first weights.
    """

    attention = ""

    def __init__(
        self,
        labels: tuple[str, ...],
        features: FeatureConfig = FeatureConfig(),  # noqa: B008 - frozen
        network: NetworkConfig = NetworkConfig(),  # noqa: B008
        optimisation: Optimisation = Optimisation(),
        augmentation: Augmentation = Augmentation(),  # noqa: B008
        segment_s: float | None = None,
        segment_hop_s: float = 1.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.config = ModelConfig(
            tuple(labels), self.attention, features, network, segment_s, segment_hop_s
        )
        self.network = EmotionNetwork(self.config)
        self.optimisation = optimisation
        self.augmentation = augmentation
        self.seed = seed
        self.register_buffer("class_weights", torch.ones(len(labels)))
        self.confusion = MulticlassConfusionMatrix(len(labels))

    def setup(self, stage: str) -> None:
        """Measure features and classes of the training speakers."""
        if stage != "fit":
            return
        data = getattr(self.trainer, "datamodule", None)
        if not isinstance(data, EmotionDataModule):
            raise FcattnError(
                "training needs a data module of fcattn.data, for example RAVDESS(root=…): "
                "trainer.fit(task, datamodule=data)"
            )
        counts = torch.tensor(list(data.class_counts().values()), dtype=torch.float32)
        self.class_weights = counts.sum() / (len(counts) * counts)
        measure_features(self.network.features, data)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Seed what this epoch draws, on each process its own, when its first batch comes."""
        if batch_idx:
            return
        place = (self.seed * 100_003 + self.current_epoch) * 1_009 + self.global_rank
        seed_everything(place % 2**32, verbose=False)

    def training_step(self, batch: Batch) -> Tensor:
        """Class-weighted cross-entropy of augmented clips."""
        frames, lengths, targets = self._augmented(batch)
        logits = self.network.from_frames(frames, lengths)
        loss = self.loss(logits, targets)
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=len(logits))
        return loss

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy of logits (B, classes) and target probabilities (B, classes).

        The mean is over clips, not over their weights, so that equal parts of a batch on several
        processes give the gradient of the whole batch.
        """
        smoothing = self.optimisation.label_smoothing
        return functional.cross_entropy(
            logits, targets, self.class_weights, label_smoothing=smoothing
        )

    def _augmented(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Frames, their lengths and target probabilities."""
        how = self.augmentation
        waveform, lengths = batch.waveform, batch.lengths
        if how.speeds:
            percent = how.speeds[int(torch.randint(len(how.speeds), ()))]
            waveform, lengths = augment.change_speed(waveform, lengths, percent)
        if how.gain_db:
            waveform = augment.change_gain(waveform, how.gain_db)
        if how.noise_share:
            waveform = augment.add_noise(waveform, how.noise_snr_db, how.noise_share)
        frames, lengths = self.network.features(waveform, lengths)
        longest = int(how.time_mask_s * 1000 / self.config.features.hop_ms)
        frames = augment.mask_frames(frames, lengths, how.time_masks, longest)
        frames = augment.mask_bands(frames, how.band_masks, how.band_mask)
        targets = functional.one_hot(batch.classes, len(self.config.labels)).float()
        return (
            augment.mix(frames, lengths, targets, how.mixup)
            if how.mixup
            else (frames, lengths, targets)
        )

    def validation_step(self, batch: Batch) -> None:
        """Count rights and wrongs of whole clips."""
        self._judge(batch)

    def test_step(self, batch: Batch) -> None:
        """Count rights and wrongs of whole clips."""
        self._judge(batch)

    def predict_step(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Scores (B, classes) and places (B,) of whole clips."""
        return batch_scores(self.network, batch.waveform, batch.lengths), batch.places

    def on_validation_epoch_end(self) -> None:
        """Log UA, WA and F1."""
        self._report("val")

    def on_test_epoch_end(self) -> None:
        """Log UA, WA and F1."""
        self._report("test")

    def configure_optimizers(self) -> Any:
        """AdamW; the rate rises over the warm-up and falls along a cosine, step by step."""
        plan = self.optimisation
        matrices = [weight for weight in self.network.parameters() if weight.ndim > 1]
        others = [weight for weight in self.network.parameters() if weight.ndim <= 1]
        groups: list[dict[str, Any]] = [
            {"params": matrices},
            {"params": others, "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(
            groups,
            lr=plan.learning_rate,
            weight_decay=plan.weight_decay,
        )
        steps = self._steps()
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: rate_share(step, steps, plan.warmup)
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def _steps(self) -> int:
        """Optimiser steps of the whole training.

        Lightning's own estimate begins a pass over the data, in the wrong epoch of a resumed run.
        """
        trainer = self.trainer
        if trainer.max_steps > 0:
            return trainer.max_steps
        if not trainer.max_epochs or trainer.max_epochs < 0:
            raise FcattnError("the learning rate follows a cosine: give trainer.max_epochs")
        batches = len(trainer.datamodule.train_dataloader())  # type: ignore[attr-defined]
        return trainer.max_epochs * math.ceil(batches / trainer.accumulate_grad_batches)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the model's config beside its weights."""
        checkpoint["fcattn"] = self.config.to_dict()

    def _judge(self, batch: Batch) -> None:
        scores = batch_scores(self.network, batch.waveform, batch.lengths)
        self.confusion.update(scores.argmax(dim=1), batch.classes)

    def _report(self, stage: str) -> None:
        figures = summary(self.confusion.compute().cpu().numpy())
        self.confusion.reset()
        for name, value in figures.items():
            self.log(f"{stage}/{name}", value, prog_bar=name == "UA", rank_zero_only=False)


class BaselineMHSA(EmotionTask):
    """Plain multi-head self-attention."""

    attention = "mhsa"


class FocusMHSA(EmotionTask):
    """Multi-head self-attention with Focus-Attention."""

    attention = "fa"


class FocusCalibrationMHSA(EmotionTask):
    """Multi-head self-attention with Focus- and Calibration-Attention."""

    attention = "fa_ca"


def rate_share(step: int, steps: int, warmup: float) -> float:
    """Share of the highest learning rate: a line up, then half a cosine down to 0.

    Example:
        >>> [round(rate_share(step, 8, 0.25), 2) for step in (0, 1, 4, 8)]
        [0.5, 1.0, 0.75, 0.0]
    """
    rising = max(1, round(warmup * steps))
    if step < rising:
        return (step + 1) / rising
    done = min(1.0, (step - rising) / max(1, steps - rising))
    return (1 + math.cos(math.pi * done)) / 2


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
