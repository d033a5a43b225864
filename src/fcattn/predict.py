"""Sound in, predictions out: one clip or many, short or long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import TypeAlias

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

POOL, POOL_S = 128, 600.0
"""Most clips that are sorted by length together, and about how many seconds; while they are scored
the next ones are read."""

LONG_S = 60.0
"""Clips beyond this are heard window by window; no corpus has utterances that long."""

Read: TypeAlias = Waveform | Iterator[Waveform]
"""The whole of a short clip, or the blocks of one that is heard window by window."""


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
    read = _read(source, scorer.rate_hz, sample_rate_hz, hop_s is not None)
    if isinstance(read, np.ndarray):
        return _run(scorer, [read])[0]
    return listen(scorer, read, window_s, HOP_S if hop_s is None else hop_s)


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
    for pool in _pools(sources, scorer.rate_hz, sample_rate_hz, hop_s is not None):
        short: dict[int, Waveform] = {}
        for place, read in pool.items():
            if isinstance(read, AudioError):
                yield place, read
            elif isinstance(read, np.ndarray):
                short[place] = read
            else:
                yield place, _listen(scorer, read, window_s, hop_s)
        for places in _batches(short, scorer.rate_hz):
            yield from zip(places, _run(scorer, [short[place] for place in places]), strict=True)


def _pools(
    sources: Sequence[Source], rate_hz: int, sample_rate_hz: int | None, in_windows: bool
) -> Iterator[dict[int, Read | AudioError]]:
    """What the next sources hold, by place; a thread reads one pool ahead."""
    left = iter(enumerate(sources))

    def read() -> dict[int, Read | AudioError]:
        found: dict[int, Read | AudioError] = {}
        kept = 0.0
        for place, source in islice(left, POOL):
            try:
                found[place] = one = _read(source, rate_hz, sample_rate_hz, in_windows)
            except AudioError as error:
                found[place] = error
                continue
            kept += len(one) / rate_hz if isinstance(one, np.ndarray) else LONG_S
            if kept > POOL_S:
                break
        return found

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="fcattn-reader") as reader:
        ahead = reader.submit(read)
        while pool := ahead.result():
            ahead = reader.submit(read)
            yield pool


def _read(source: Source, rate_hz: int, sample_rate_hz: int | None, in_windows: bool) -> Read:
    """The whole of a short clip; of a long one no more than is needed to know that it is long."""
    blocks = audio.blocks(source, rate_hz, sample_rate_hz)
    if in_windows:
        return blocks
    begin: list[Waveform] = []
    for block in blocks:
        begin.append(block)
        if sum(map(len, begin)) > LONG_S * rate_hz:
            return chain(begin, blocks)
    return begin[0] if len(begin) == 1 else np.concatenate(begin)


def _listen(
    scorer: Scorer, blocks: Iterator[Waveform], window_s: float, hop_s: float | None
) -> Prediction | AudioError:
    """Predict a long clip; what is wrong with it may lie far behind its beginning."""
    try:
        return listen(scorer, blocks, window_s, HOP_S if hop_s is None else hop_s)
    except AudioError as error:
        return error


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
