"""Training: one LightningModule and its three children, which differ in the attention alone."""

from __future__ import annotations

import math
from typing import Any

import torch
from lightning import LightningModule, seed_everything
from torch import Tensor
from torch.nn import functional
from torchmetrics.classification import MulticlassConfusionMatrix

from fcattn.config import FeatureConfig, ModelConfig, NetworkConfig
from fcattn.data import augment
from fcattn.data.augment import Augmentation
from fcattn.data.clips import Batch
from fcattn.data.module import EmotionDataModule
from fcattn.data.statistics import class_weights, measure_features
from fcattn.errors import FcattnError
from fcattn.metrics import summary
from fcattn.model import EmotionNetwork
from fcattn.optimisation import Optimisation, make_optimizer
from fcattn.scores import batch_scores


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
        optimisation: Optimisation = Optimisation(),  # noqa: B008
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
        self.class_weights = class_weights(data)
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
        how, features = self.augmentation, self.network.features
        frames, lengths = features(*augment.change_waveform(batch.waveform, batch.lengths, how))
        frames = augment.change_frames(
            frames, lengths, features.deviation, features.config.hop_ms / 1000, how
        )
        targets = functional.one_hot(batch.classes, len(self.config.labels)).float()
        return augment.mix(frames, lengths, targets, how.mixup)

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
        """AdamW with warm-up and a cosine, step by step."""
        return make_optimizer(self.network, self.optimisation, self._steps())

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
