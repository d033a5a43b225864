"""Corpora, folds and batches; importing this imports Lightning."""

from fcattn.data.augment import Augmentation
from fcattn.data.clips import Batch
from fcattn.data.corpora import IEMOCAP, NEMO, RAVDESS, EmoDB, MultiCorpus, Synthetic
from fcattn.data.module import EmotionDataModule

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
