"""Forward and backward of FA and FA+CA against plain MHSA, in one run, the sides alternating."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from rich.console import Console
from rich.table import Table

from fcattn.attention import FocusBias, HeadCalibration, SelfAttention

HEADS, SIZE, BATCH, ROUNDS = 4, 32, 8, 7
WIDTH = HEADS * SIZE


def layers() -> dict[str, SelfAttention]:
    """The three variants."""
    return {
        "MHSA": SelfAttention(WIDTH, HEADS),
        "FA": SelfAttention(WIDTH, HEADS, FocusBias(HEADS, SIZE)),
        "FA+CA": SelfAttention(WIDTH, HEADS, FocusBias(HEADS, SIZE), HeadCalibration(HEADS, SIZE)),
    }


def step(layer: SelfAttention, time_steps: int) -> Callable[[], None]:
    """One forward and backward pass over a padded batch."""
    frames = torch.randn(BATCH, time_steps, WIDTH, requires_grad=True)
    lengths = torch.linspace(time_steps / 2, time_steps, BATCH).long()
    mask = torch.arange(time_steps) < lengths[:, None]

    def run() -> None:
        layer(frames, mask)[0].sum().backward()

    return run


def medians_ms(sides: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Median time of each side; the sides take turns, after a round that does not count."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(ROUNDS + 1):
        for name, run in sides.items():
            start = time.perf_counter()
            run()
            times[name].append(1000 * (time.perf_counter() - start))
    return {name: statistics.median(found[1:]) for name, found in times.items()}


def main() -> None:
    """Print a table of medians and ratios."""
    torch.set_num_threads(1)
    table = Table(title=f"forward + backward, ms; batch {BATCH}, 1 thread, median of {ROUNDS}")
    for column in ("T", "MHSA", "FA", "FA+CA", "FA / MHSA", "FA+CA / MHSA"):
        table.add_column(column, justify="right")
    for time_steps in (100, 300, 1000, 3000):
        found = medians_ms({name: step(layer, time_steps) for name, layer in layers().items()})
        ratios = (found["FA"] / found["MHSA"], found["FA+CA"] / found["MHSA"])
        shown = [f"{one:.1f}" for one in found.values()] + [f"{one:.2f} ×" for one in ratios]
        table.add_row(str(time_steps), *shown)
    Console().print(table)


if __name__ == "__main__":
    main()
