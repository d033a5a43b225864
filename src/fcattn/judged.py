"""What a model said of each utterance, as a table that anybody can read: ``predictions.csv``."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fcattn.errors import FcattnError

Column: TypeAlias = NDArray[Any]

COLUMNS = ("utterance", "talker", "fold", "seed", "truth", "prediction")
"""Before one column of scores for each class."""


class Judged(NamedTuple):
    """Scores of N utterances.

    Attributes:
        labels: Class names in the order of the scores.
        utterances: (N,) names.
        talkers: (N,) names.
        folds: (N,) fold that the utterance was judged in.
        seeds: (N,) seed of the training.
        truth: (N,) place of the true class among the labels.
        scores: (N, classes) probabilities.
    """

    labels: tuple[str, ...]
    utterances: Column
    talkers: Column
    folds: Column
    seeds: Column
    truth: Column
    scores: Column

    @property
    def predicted(self) -> Column:
        """(N,) place of the most probable class."""
        found: Column = self.scores.argmax(axis=1)
        return found

    def rows(self, chosen: Column) -> Judged:
        """Some rows: places, or True (N,) where wanted."""
        return Judged(self.labels, *(column[chosen] for column in self[1:]))


def join(parts: Sequence[Judged]) -> Judged:
    """One table of several with the same labels."""
    columns = zip(*(part[1:] for part in parts), strict=True)
    return Judged(parts[0].labels, *(np.concatenate(column) for column in columns))


def write(path: Path, predictions: Judged) -> None:
    """Write a table; it appears whole or not at all."""
    partial = path.with_name(f".{path.name}.part")
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*COLUMNS, *predictions.labels])
        writer.writerows(_rows(predictions))
    partial.replace(path)


def read(path: Path) -> Judged:
    """Read what ``write`` wrote.

    Raises:
        FcattnError: If the file is missing or is another table.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
    except (OSError, ValueError) as error:
        raise FcattnError(f"{path}: no table of predictions ({error})") from None
    labels = tuple(header[len(COLUMNS) :])
    if tuple(header[: len(COLUMNS)]) != COLUMNS or not labels or not rows:
        raise FcattnError(
            f"{path}: expected the columns {', '.join(COLUMNS)} and a score for each class, "
            f"got {', '.join(header)} and {len(rows)} rows"
        )
    broken = [number for number, row in enumerate(rows, start=2) if len(row) != len(header)]
    if broken:
        raise FcattnError(f"{path}, line {broken[0]}: expected {len(header)} cells")
    return _table(labels, rows)


def _rows(predictions: Judged) -> Iterable[list[object]]:
    labels = predictions.labels
    columns = zip(*predictions[1:], predictions.predicted, strict=True)
    for utterance, talker, fold, seed, truth, scores, predicted in columns:
        shown = [f"{score:.6f}" for score in scores]
        yield [utterance, talker, fold, seed, labels[truth], labels[predicted], *shown]


def _table(labels: tuple[str, ...], rows: list[list[str]]) -> Judged:
    utterances, talkers, folds, seeds, truth, _, *scores = zip(*rows, strict=True)
    return Judged(
        labels,
        np.array(utterances),
        np.array(talkers),
        np.array(folds, dtype=np.int64),
        np.array(seeds, dtype=np.int64),
        np.array([labels.index(one) for one in truth]),
        np.array(scores, dtype=np.float64).T,
    )
