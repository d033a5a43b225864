"""Two sides, measured in turn, so that what else the machine does falls on both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

ROUNDS = 7
"""Fewest rounds; what is quick has more of them."""

LEAST_S = 10.0
"""Time of a comparison, which evens out what else the machine does; at most ``MOST_ROUNDS``."""

MOST_ROUNDS = 101


class Row(NamedTuple):
    """A line of the table.

    Attributes:
        what: What was measured.
        against: What it was measured against.
        ours: Our figure, with its unit.
        theirs: The other figure.
        ratio: The ratio that is to be reached, as the goal says it.
        goal: For example ``≤ 1.30``.
        met: Whether it was reached.
        unit: Of the ratio: ``×``; ``%`` for a share, ``s`` for a difference, nothing for a count.
    """

    what: str
    against: str
    ours: str
    theirs: str
    ratio: float
    goal: str
    met: bool
    unit: str = "×"

    @property
    def shown(self) -> str:
        """The ratio with its unit."""
        if self.unit == "%":
            return f"{100 * self.ratio:.2g} %"
        return (
            f"{self.ratio:+.2f} s" if self.unit == "s" else f"{self.ratio:.3g} {self.unit}".strip()
        )


def medians_s(sides: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Median time of each side; the sides take turns, after a round that does not count."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    begun = time.perf_counter()
    for done in range(MOST_ROUNDS + 1):
        if done > ROUNDS and time.perf_counter() - begun > LEAST_S:
            break
        for name, run in sides.items():
            started = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - started)
    return {name: statistics.median(found[1:]) for name, found in times.items()}


def at_most(what: str, against: str, ours_s: float, theirs_s: float, most: float) -> Row:
    """We may take that many times as long."""
    ratio = ours_s / theirs_s
    return Row(what, against, ms(ours_s), ms(theirs_s), ratio, f"≤ {most:g} ×", ratio <= most)


def faster(what: str, against: str, ours_s: float, theirs_s: float, least: float) -> Row:
    """We must be that many times as fast."""
    ratio = theirs_s / ours_s
    return Row(
        what, against, ms(ours_s), ms(theirs_s), ratio, f"≥ {least:g} × faster", ratio >= least
    )


def ms(seconds: float) -> str:
    """A time in a readable unit."""
    return f"{seconds:.2f} s" if seconds >= 2 else f"{1000 * seconds:.1f} ms"


def threads_of(count: int) -> str:
    """How a row names its threads."""
    return "1 thread" if count == 1 else f"{count} threads"
