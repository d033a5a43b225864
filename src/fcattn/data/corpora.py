"""The data modules of the corpora."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from fcattn.data import emodb, iemocap, nemo, ravdess, synthetic
from fcattn.data.clips import Clips
from fcattn.data.module import EmotionDataModule
from fcattn.data.utterance import Utterance
from fcattn.errors import CorpusError


class RAVDESS(EmotionDataModule):
    """RAVDESS: eight emotions, 24 actors."""

    corpus = "RAVDESS"
    default_labels = tuple(sorted(ravdess.EMOTIONS.values()))

    def read(self) -> list[Utterance]:
        """Every spoken recording."""
        return ravdess.read(self.root)


class EmoDB(EmotionDataModule):
    """EmoDB: seven emotions, ten German actors."""

    corpus = "EmoDB"
    default_labels = tuple(sorted(emodb.EMOTIONS.values()))

    def read(self) -> list[Utterance]:
        """Every recording."""
        return emodb.read(self.root)


class NEMO(EmotionDataModule):
    """nEMO: six emotions, nine Polish actors."""

    corpus = "nEMO"
    default_labels = tuple(sorted(nemo.EMOTIONS.values()))

    def read(self) -> list[Utterance]:
        """Every recording that ``data.tsv`` lists."""
        return nemo.read(self.root)


class Synthetic(EmotionDataModule):
    """Tones whose level and pitch depend on the class; made where they are not there yet."""

    corpus = "synthetic tones"
    default_labels = synthetic.DEFAULT_LABELS

    def prepare_data(self) -> None:
        """Make the tones if ``root`` does not hold them, then decode them."""
        synthetic.write(self.root, self.labels)
        super().prepare_data()

    def read(self) -> list[Utterance]:
        """Every tone."""
        return synthetic.read(self.root)


class IEMOCAP(EmotionDataModule):
    """IEMOCAP: five sessions; by default the four usual classes, with excited counted as happy.

    Args:
        root: ``IEMOCAP_full_release``, the folder around it, or a folder of ``SessionN``.
        merge: Class names to count as another; ``{}`` leaves excited turns out.
        dialogues: Which dialogues to take.
        **settings: As of ``EmotionDataModule``.
    """

    corpus = "IEMOCAP"
    default_labels = ("angry", "happy", "neutral", "sad")

    def __init__(
        self,
        root: str,
        merge: dict[str, str] | None = None,
        dialogues: Literal["all", "improvised", "scripted"] = "all",
        **settings: Any,
    ) -> None:
        merged = {"excited": "happy"} if merge is None else merge
        super().__init__(root, merge=merged, **settings)
        self.dialogues = dialogues

    def read(self) -> list[Utterance]:
        """Every labelled turn of the chosen dialogues."""
        if iemocap.standin(self.root):
            self.corpus = "IEMOCAP stand-in"
        wanted = {"all": (True, False), "improvised": (True,), "scripted": (False,)}[self.dialogues]
        return [turn for turn in iemocap.read(self.root) if turn.improvised in wanted]


class MultiCorpus(EmotionDataModule):
    """Several corpora as one; speakers are named ``ravdess-17``, ``emodb-03``, ``nemo-EB0``.

    Args:
        corpora: Name of each corpus and its folder, relative to ``root``.
        **settings: As of ``EmotionDataModule``.
    """

    corpus = "MultiCorpus"
    default_labels = ("angry", "happy", "neutral", "sad")
    readers: ClassVar[dict[str, Callable[[str | Path], Sequence[Utterance]]]] = {
        "ravdess": ravdess.read,
        "emodb": emodb.read,
        "nemo": nemo.read,
        "iemocap": iemocap.read,
    }

    def __init__(self, root: str, corpora: dict[str, str], **settings: Any) -> None:
        super().__init__(root, **settings)
        unknown = sorted(set(corpora) - set(self.readers))
        if unknown:
            raise CorpusError(f"corpus {unknown[0]!r}: expected {', '.join(self.readers)}")
        self.corpora = corpora

    def read(self) -> list[Utterance]:
        """Every utterance of every corpus."""
        return [
            replace(one, id=f"{name}-{one.id}", speaker=f"{name}-{one.speaker}")
            for name, folder in self.corpora.items()
            for one in self.readers[name](Path(self.root) / folder)
        ]

    def like(self, clips: Clips) -> Sequence[float]:
        """Rank of each clip's length within its corpus, so that a batch is a sample of all corpora.

        Clips of one corpus often have about one length. Batches of like length would hold one
        corpus each, and the batch norm of the stem would learn from statistics that are not those
        it judges with.
        """
        lengths = clips.lengths()
        ranks = [0.0] * len(lengths)
        for name in self.corpora:
            places = [n for n, one in enumerate(clips.utterances) if one.id.startswith(f"{name}-")]
            places.sort(key=lambda place: lengths[place])
            for rank, place in enumerate(places):
                ranks[place] = rank / len(places)
        return ranks
