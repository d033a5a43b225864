"""Batches of clips of like length: each epoch a full pass in a seeded order, over processes too."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

from torch.utils.data import Sampler

POOL = 20
"""Batches that are sorted by length together; more sort better and shuffle less."""


class LengthBatches(Sampler[tuple[int, list[int]]]):
    """The epoch and the indices of each batch, of clips of like length.

    In training each epoch has its own seeded order, and where the number of clips does not fit the
    number of processes the first clips come again, so that every process does the same number of
    steps. Two processes with batches of n see what one process sees with batches of 2 n. Otherwise
    clips come longest first, each exactly once over all processes.

    Args:
        lengths: Length of each clip, any unit; clips of like length come together.
        batch_size: Clips of a batch on each process.
        shuffle: True for training.
        seed: Of the order.
        rank: This process.
        processes: Number of processes.
        epoch: Tells the epoch when a pass begins. It is asked, not told: a loader may begin a pass
            before Lightning tells its samplers which epoch a resumed run is in.

    Example:
        >>> list(LengthBatches([3, 9, 4, 8], batch_size=2))
        [(0, [1, 3]), (0, [2, 0])]
    """

    def __init__(
        self,
        lengths: Sequence[float],
        batch_size: int,
        shuffle: bool = False,
        seed: int = 0,
        rank: int = 0,
        processes: int = 1,
        epoch: Callable[[], int] = int,
    ) -> None:
        self.lengths = lengths
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.rank = rank
        self.processes = processes
        self.epoch = epoch

    def __len__(self) -> int:
        """Batches of this process in an epoch."""
        return len(self._batches(0))

    def __iter__(self) -> Iterator[tuple[int, list[int]]]:
        """Batches of this process."""
        epoch = self.epoch()
        for indices in self._batches(epoch):
            yield epoch, indices

    def _batches(self, epoch: int) -> list[list[int]]:
        order = list(range(len(self.lengths)))
        if not self.shuffle:
            order.sort(key=self._shortness)
            mine = order[self.rank :: self.processes]
            return _chunks(mine, self.batch_size)
        dice = random.Random(f"{self.seed} {epoch}")
        dice.shuffle(order)
        order += order[: -len(order) % self.processes]
        together = self.batch_size * self.processes
        pools = _chunks(order, POOL * together)
        batches = [
            chunk
            for pool in pools
            for chunk in _chunks(sorted(pool, key=self._shortness), together)
        ]
        dice.shuffle(batches)
        return [chunk[self.rank :: self.processes] for chunk in batches]

    def _shortness(self, index: int) -> float:
        """Longest first; clips of one length stay in the order they are in, shuffled or not."""
        return -self.lengths[index]


def _chunks(items: list[int], size: int) -> list[list[int]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
