"""Corpora, folds and batches; importing this imports Lightning."""

from fcattn.data.augment import Augmentation
from fcattn.data.module import (
    IEMOCAP,
    NEMO,
    RAVDESS,
    Batch,
    EmoDB,
    EmotionDataModule,
    MultiCorpus,
    Synthetic,
)

__all__ = [
    "IEMOCAP",
    "NEMO",
    "RAVDESS",
    "Augmentation",
    "Batch",
    "EmoDB",
    "EmotionDataModule",
    "MultiCorpus",
    "Synthetic",
]
