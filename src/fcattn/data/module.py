"""The data module that all corpora share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from lightning import LightningDataModule
from lightning.pytorch.utilities import rank_zero_warn
from torch.utils.data import DataLoader

from fcattn.config import LABELS
from fcattn.data import folds
from fcattn.data.batches import LengthBatches
from fcattn.data.cache import AudioCache, default_folder, prepare
from fcattn.data.clips import Batch, Clips
from fcattn.data.folds import Fold
from fcattn.data.utterance import Utterance
from fcattn.errors import CorpusError

Protocol = Literal["held-out", "leave-one-session-out", "leave-one-speaker-out", "grouped"]
Split = Literal["train", "validation", "test"]


class EmotionDataModule(LightningDataModule):
    """Utterances of a corpus, split by speakers; the children name the corpus.

    Args:
        root: Folder of the corpus.
        labels: Class names in the order of the logits; utterances of other classes are left out.
        merge: Class names to count as another, for example ``{"calm": "neutral"}``.
        protocol: How speakers are split.
        fold: Which fold of the protocol, from 1.
        groups: Folds of the protocol ``grouped``.
        validation_speakers: For ``held-out``: who validates.
        test_speakers: For ``held-out``: who tests; where nobody does, the validation speakers are
            what ``test`` measures on, with a warning.
        batch_size: Clips of a batch on each process.
        alike: What clips of a batch have in common. ``length``: nothing else. ``speaker``: of clips
            that are as long as the crops, the batch takes those of one or two speakers. Its batch
            norm then takes out what is the speaker's, and the network learns to do without.
        crop_s: Longest part of a clip that one training step sees; ``null`` for whole clips. Score
            segments of that length too (``model.segment_s``): a network that learnt from crops is
            worse on whole clips.
        workers: Processes that read clips; 0 reads in the training process.
        sample_rate_hz: Rate of the waveforms.
        seed: Of order and crops.
        cache_dir: Where decoded audio is kept; ``$FCATTN_CACHE`` or the user's cache by default.
    """

    corpus = ""
    default_labels: tuple[str, ...] = LABELS

    def __init__(
        self,
        root: str,
        labels: list[str] | None = None,
        merge: dict[str, str] | None = None,
        protocol: Protocol = "held-out",
        fold: int = 1,
        groups: int = 5,
        validation_speakers: list[str] | None = None,
        test_speakers: list[str] | None = None,
        batch_size: int = 16,
        alike: Literal["length", "speaker"] = "length",
        crop_s: float | None = 3.0,
        workers: int = 0,
        sample_rate_hz: int = 16_000,
        seed: int = 0,
        cache_dir: str | None = None,
    ) -> None:
        super().__init__()
        self.root = root
        self.labels = tuple(labels or self.default_labels)
        self.merge = merge or {}
        self.protocol = protocol
        self.fold = fold
        self.groups = groups
        self.validation_speakers = validation_speakers or []
        self.test_speakers = test_speakers or []
        self.batch_size = batch_size
        self.alike = alike
        self.crop_s = crop_s
        self.workers = workers
        self.sample_rate_hz = sample_rate_hz
        self.seed = seed
        self.cache_dir = Path(cache_dir).expanduser() if cache_dir else default_folder()
        self.splits: dict[str, list[Utterance]] = {}
        self.cache: AudioCache | None = None

    def read(self) -> list[Utterance]:
        """Every utterance of the corpus, before labels are chosen."""
        raise NotImplementedError("use a child: IEMOCAP, RAVDESS, EmoDB, NEMO, MultiCorpus")

    def utterances(self) -> list[Utterance]:
        """Utterances of the chosen classes, with merged names.

        Raises:
            CorpusError: If there is none.
        """
        named = [replace(one, label=self.merge.get(one.label, one.label)) for one in self.read()]
        chosen = [one for one in named if one.label in self.labels]
        if not chosen:
            found = ", ".join(sorted({one.label for one in named}))
            raise CorpusError(f"{self.corpus}: none of {', '.join(self.labels)}; found: {found}")
        return chosen

    def folds(self, utterances: Sequence[Utterance]) -> list[Fold]:
        """All folds of the protocol."""
        if self.protocol == "leave-one-session-out":
            return folds.leave_one_session_out(utterances)
        if self.protocol == "leave-one-speaker-out":
            return folds.leave_one_speaker_out(utterances)
        if self.protocol == "grouped":
            return folds.grouped(utterances, self.groups)
        if not self.validation_speakers:
            raise CorpusError("protocol held-out: name data.validation_speakers")
        return folds.held_out(utterances, self.validation_speakers, self.test_speakers)

    def prepare_data(self) -> None:
        """Decode the corpus, once, in one process."""
        prepare(self.utterances(), self.sample_rate_hz, self.cache_dir)

    def setup(self, stage: str) -> None:
        """Split by speakers and open the decoded audio.

        Raises:
            CorpusError: If the fold does not exist or a class has no clip to train on.
        """
        utterances = self.utterances()
        every = self.folds(utterances)
        if not 1 <= self.fold <= len(every):
            raise CorpusError(f"data.fold: expected 1 to {len(every)}, got {self.fold}")
        fold = every[self.fold - 1]
        for split in ("train", "validation", "test"):
            members = fold.part(split)
            self.splits[split] = [one for one in utterances if one.speaker in members]
        missing = [name for name, count in self.class_counts().items() if not count]
        if missing:
            raise CorpusError(
                f"{self.corpus}: no training clip of {', '.join(missing)}; "
                "take it out of data.labels or give more speakers to train on"
            )
        self.cache = AudioCache(prepare(utterances, self.sample_rate_hz, self.cache_dir))

    def class_counts(self) -> dict[str, int]:
        """Training clips of each label."""
        counts = Counter(one.label for one in self.splits["train"])
        return {label: counts[label] for label in self.labels}

    def clips(self, split: Split, crop_s: float | None = None) -> Clips:
        """The clips of a split; whole unless ``crop_s`` is given."""
        if self.cache is None:
            raise CorpusError("call prepare_data() and setup() first")
        crop = None if crop_s is None else round(crop_s * self.sample_rate_hz)
        return Clips(self.cache, self.splits[split], self.labels, crop, self.seed)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Random crops of the training speakers, a full pass in a new order every epoch."""
        return self._loader(self.clips("train", self.crop_s), shuffle=True)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Whole clips of the validation speakers."""
        return self._loader(self.clips("validation"))

    def test_dataloader(self) -> DataLoader[Batch]:
        """Whole clips of the test speakers, or of those who validated, where nobody tests."""
        if self.tested_split == "validation":
            rank_zero_warn(
                "the fold has no test speakers: measuring on the validation speakers, who also "
                "chose the checkpoint; the figures are hopeful"
            )
        return self._loader(self.clips(self.tested_split))

    @property
    def tested_split(self) -> Split:
        """``test``, or ``validation`` where the protocol leaves nobody to test."""
        return "test" if self.splits["test"] else "validation"

    def like(self, clips: Clips) -> Sequence[float]:
        """What sorts clips into batches: their length, and the order of the corpus if asked."""
        lengths = clips.lengths()
        if self.alike == "length":
            return lengths
        return [length - place / len(lengths) for place, length in enumerate(lengths)]

    def _epoch(self) -> int:
        """Epochs that are done, also while a resumed run is being set up."""
        if self.trainer is None:
            return 0
        progress: Any = self.trainer.fit_loop.epoch_progress.current
        return int(progress.processed)

    def _loader(self, clips: Clips, shuffle: bool = False) -> DataLoader[Batch]:
        rank = self.trainer.global_rank if self.trainer else 0
        processes = self.trainer.world_size if self.trainer else 1
        order = LengthBatches(
            self.like(clips), self.batch_size, shuffle, self.seed, rank, processes, self._epoch
        )
        return DataLoader(
            clips,
            sampler=order,
            batch_size=None,  # the sampler makes the batches
            num_workers=self.workers,
            pin_memory=torch.cuda.is_available(),
        )
