"""What every model can be asked: a clip, many clips, a live stream."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import overload

from fcattn import predict
from fcattn.errors import AudioError
from fcattn.prediction import Prediction
from fcattn.scorer import Scorer
from fcattn.sources import Source
from fcattn.timeline import HOP_S, WINDOW_S, Stream


class Listener(ABC):
    """A model that names the emotion of sound."""

    @property
    @abstractmethod
    def scorer(self) -> Scorer:
        """What answers."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names in the order of the scores."""
        return self.scorer.labels

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
            return predict.predict(self.scorer, source, sample_rate_hz, hop_s, window_s)
        found: dict[int, Prediction] = {}
        outcomes = self.predict_many(source, sample_rate_hz, hop_s=hop_s, window_s=window_s)
        for place, outcome in outcomes:
            if isinstance(outcome, AudioError):
                raise outcome
            found[place] = outcome
        return [found[place] for place in range(len(source))]

    def predict_many(
        self,
        sources: Sequence[Source],
        sample_rate_hz: int | None = None,
        *,
        hop_s: float | None = None,
        window_s: float = WINDOW_S,
    ) -> Iterator[tuple[int, Prediction | AudioError]]:
        """Predict a list as ``predict`` does, where a broken clip does not stop the others.

        Args:
            sources: As of ``predict``.
            sample_rate_hz: As of ``predict``.
            hop_s: As of ``predict``.
            window_s: As of ``predict``.

        Yields:
            Place of the source, and its prediction or what is wrong with it, as they are ready.
        """
        return predict.predict_many(self.scorer, sources, sample_rate_hz, hop_s, window_s)

    def stream(
        self, sample_rate_hz: int, *, hop_s: float = HOP_S, window_s: float = WINDOW_S
    ) -> Stream:
        """Listen to live sound: push chunks of any size, get a ``Moment`` for every hop.

        Args:
            sample_rate_hz: Rate of the chunks.
            hop_s: Time from one moment to the next.
            window_s: Longest part of the past that a moment is about.
        """
        return Stream(self.scorer, sample_rate_hz, window_s, hop_s)
