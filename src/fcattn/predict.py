"""Sound in, predictions out: one clip or many, short or long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np

from fcattn import audio
from fcattn.audio import Waveform
from fcattn.errors import AudioError
from fcattn.prediction import Prediction
from fcattn.scorer import Scorer
from fcattn.sources import Source
from fcattn.timeline import HOP_S, WINDOW_S, listen

BATCH_S = 64.0
"""Padded audio of one batch, in seconds."""

POOL = 256
"""Clips that are read and sorted by length together."""

LONG_S = 60.0
"""Clips beyond this are heard window by window; no corpus has utterances that long."""


def predict(
    scorer: Scorer,
    source: Source,
    sample_rate_hz: int | None = None,
    hop_s: float | None = None,
    window_s: float = WINDOW_S,
) -> Prediction:
    """Predict one clip.

    Args:
        scorer: What answers.
        source: What ``audio.load`` takes.
        sample_rate_hz: Rate of an array or tensor.
        hop_s: If given, hear the clip in windows that are so far apart; clips of more than a minute
            always are.
        window_s: Length of the windows.

    Raises:
        AudioError: If the source is not usable sound.
    """
    heard = _hear(scorer, source, sample_rate_hz, hop_s, window_s)
    return heard if isinstance(heard, Prediction) else _run(scorer, [heard])[0]


def predict_many(
    scorer: Scorer,
    sources: Sequence[Source],
    sample_rate_hz: int | None = None,
    hop_s: float | None = None,
    window_s: float = WINDOW_S,
) -> Iterator[tuple[int, Prediction | AudioError]]:
    """Predict clips in padded batches of like length.

    Args:
        scorer: What answers.
        sources: What ``audio.load`` takes, each.
        sample_rate_hz: Rate of arrays and tensors.
        hop_s: As of ``predict``.
        window_s: As of ``predict``.

    Yields:
        Place of the source, and its prediction or what is wrong with it.
    """
    for start in range(0, len(sources), POOL):
        short: dict[int, Waveform] = {}
        for place, source in enumerate(sources[start : start + POOL], start):
            try:
                heard = _hear(scorer, source, sample_rate_hz, hop_s, window_s)
            except AudioError as error:
                yield place, error
                continue
            if isinstance(heard, Prediction):
                yield place, heard
            else:
                short[place] = heard
        for places in _batches(short, scorer.rate_hz):
            yield from zip(places, _run(scorer, [short[place] for place in places]), strict=True)


def _hear(
    scorer: Scorer,
    source: Source,
    sample_rate_hz: int | None,
    hop_s: float | None,
    window_s: float,
) -> Waveform | Prediction:
    """The whole of a short clip; of a long one, of which no more is read at a time, its answer."""
    rate_hz = scorer.rate_hz
    blocks = audio.blocks(source, rate_hz, sample_rate_hz)
    if hop_s is not None:
        return listen(scorer, blocks, window_s, hop_s)
    begin: list[Waveform] = []
    for block in blocks:
        begin.append(block)
        if sum(map(len, begin)) > LONG_S * rate_hz:
            return listen(scorer, chain(begin, blocks), window_s, HOP_S)
    return begin[0] if len(begin) == 1 else np.concatenate(begin)


def _run(scorer: Scorer, waveforms: list[Waveform]) -> list[Prediction]:
    return [Prediction.of(scorer.labels, row) for row in scorer.scores(waveforms)]


def _batches(heard: dict[int, Waveform], rate_hz: int) -> Iterator[list[int]]:
    """Places in batches of like length, each at most ``BATCH_S`` of padded audio or one clip."""
    pending: list[int] = []
    for place in sorted(heard, key=lambda place: -len(heard[place])):
        if pending and (len(pending) + 1) * len(heard[pending[0]]) > BATCH_S * rate_hz:
            yield pending
            pending = []
        pending.append(place)
    if pending:
        yield pending
