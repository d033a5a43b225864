"""The face of the package: a network that loads by name and answers with names."""

from __future__ import annotations

from pathlib import Path
from typing import Any, overload

from fcattn import card, checkpoint, hub, predict
from fcattn.checkpoint import Checkpoint, Provenance
from fcattn.config import ModelConfig
from fcattn.errors import AudioError
from fcattn.model import EmotionNetwork
from fcattn.prediction import Prediction
from fcattn.sources import Source
from fcattn.timeline import HOP_S, WINDOW_S, Stream


class EmotionClassifier(EmotionNetwork):
    """A trained network with what is known of it.

    Args:
        config: The model.
        provenance: Where its weights come from.
        results: Figures of each judged split.
    """

    def __init__(
        self,
        config: ModelConfig,
        provenance: Provenance | None = None,
        results: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(config)
        self.provenance = provenance or Provenance("untrained")
        self.results = results or {}

    @classmethod
    def from_pretrained(cls, name: str | Path, *, strict: bool = False) -> EmotionClassifier:
        """Load a model, in eval mode, on the CPU.

        Args:
            name: Checkpoint folder, or name of a model.
            strict: True refuses other weights in place of those that the name promises.

        Raises:
            UnknownModelError: If nothing of that name is found.
            CheckpointError: If the folder is not a whole checkpoint.
        """
        found = checkpoint.load(hub.resolve(str(name), strict))
        model = cls(found.config, found.provenance, found.results)
        model.load_state_dict(found.weights, strict=True)
        return model.eval()

    @overload
    def predict(
        self,
        source: list[Source],
        sample_rate_hz: int | None = ...,
        *,
        hop_s: float | None = ...,
        window_s: float = ...,
    ) -> list[Prediction]: ...
    @overload
    def predict(
        self,
        source: Source,
        sample_rate_hz: int | None = ...,
        *,
        hop_s: float | None = ...,
        window_s: float = ...,
    ) -> Prediction: ...
    def predict(
        self,
        source: Source | list[Source],
        sample_rate_hz: int | None = None,
        *,
        hop_s: float | None = None,
        window_s: float = WINDOW_S,
    ) -> Prediction | list[Prediction]:
        """Name the emotion of a clip, or of each clip of a list, which runs in padded batches.

        Args:
            source: Path, bytes, binary file object, array or tensor; or a list of them.
            sample_rate_hz: Rate of an array or tensor, which needs one.
            hop_s: If given, hear the clip in windows that are so far apart and keep what was heard
                when (``Prediction.timeline``); clips of more than a minute are always heard so.
            window_s: Length of the windows.

        Raises:
            AudioError: If a source is not usable sound.
        """
        if not isinstance(source, list | tuple):
            return predict.predict(self, source, sample_rate_hz, hop_s, window_s)
        found: dict[int, Prediction] = {}
        for place, outcome in predict.predict_many(self, source, sample_rate_hz, hop_s, window_s):
            if isinstance(outcome, AudioError):
                raise outcome
            found[place] = outcome
        return [found[place] for place in range(len(source))]

    def stream(
        self, sample_rate_hz: int, *, hop_s: float = HOP_S, window_s: float = WINDOW_S
    ) -> Stream:
        """Listen to live sound: push chunks of any size, get a ``Moment`` for every hop.

        Args:
            sample_rate_hz: Rate of the chunks.
            hop_s: Time from one moment to the next.
            window_s: Longest part of the past that a moment is about.
        """
        return Stream(self, sample_rate_hz, window_s, hop_s)

    def save_pretrained(self, folder: str | Path) -> Path:
        """Write a checkpoint folder: config, weights, metrics and card."""
        whole = Checkpoint(self.config, self.state_dict(), self.provenance, self.results)
        return checkpoint.save(folder, whole, card.render(whole))
