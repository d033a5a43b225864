"""Clips of one split, and the batches that are made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from fcattn import audio
from fcattn.data.cache import AudioCache
from fcattn.data.utterance import Utterance


class Batch(NamedTuple):
    """What the loaders give.

    Attributes:
        waveform: (B, samples) float32, padded with zeros.
        lengths: (B,) in samples.
        classes: (B,) index of the label in the data module's labels.
        places: (B,) place of each utterance in its split.
    """

    waveform: Tensor
    lengths: Tensor
    classes: Tensor
    places: Tensor


class Clips(Dataset[Batch]):
    """Batches of the utterances of one split, by epoch and places.

    Args:
        cache: Decoded audio.
        utterances: Of the split.
        labels: Class names.
        crop: Most samples of a clip, from a random place; ``None`` for whole clips.
        seed: Of the crops.
    """

    def __init__(
        self,
        cache: AudioCache,
        utterances: Sequence[Utterance],
        labels: Sequence[str],
        crop: int | None = None,
        seed: int = 0,
    ) -> None:
        self.cache = cache
        self.utterances = list(utterances)
        self.classes = torch.tensor([labels.index(one.label) for one in utterances])
        self.crop = crop
        self.seed = seed

    def __len__(self) -> int:
        """Number of utterances."""
        return len(self.utterances)

    def __getitem__(self, request: tuple[int, list[int]]) -> Batch:
        """The batch of an epoch with the utterances at these places."""
        epoch, places = request
        padded, lengths = audio.batch([self._waveform(epoch, place) for place in places])
        return Batch(
            torch.from_numpy(padded),
            torch.from_numpy(lengths),
            self.classes[places],
            torch.tensor(places),
        )

    def lengths(self) -> list[int]:
        """Samples of each clip as it is given."""
        whole = [self.cache.length(one) for one in self.utterances]
        return whole if self.crop is None else [min(length, self.crop) for length in whole]

    def _waveform(self, epoch: int, place: int) -> audio.Waveform:
        utterance, start = self.utterances[place], 0
        spare = self.cache.length(utterance) - (self.crop or self.cache.length(utterance))
        if spare > 0:
            start = int(np.random.default_rng((self.seed, epoch, place)).integers(spare + 1))
        return self.cache.read(utterance, start, self.crop)
