"""Measure everything: ``make bench``. Needs a quiet machine and ``pip install 'fcattn[bench]'``."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from bench import attention, clips, long, startup, training, tried
from bench.sides import ROUNDS, Row
from fcattn import EmotionClassifier, ModelConfig

HOME = Path(__file__).parent
LABELS = ("angry", "calm", "disgusted", "fearful", "happy", "neutral", "sad", "surprised")


def main() -> None:
    """Print each row as it comes, then write ``results.json``."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = EmotionClassifier(ModelConfig(LABELS)).eval()
    parts: list[Callable[[], Iterator[Row]]] = [
        startup.rows,
        attention.rows,
        lambda: clips.rows(model),
        training.rows,
        lambda: long.rows(model),
        tried.rows,
    ]
    console = Console(highlight=False)
    found: list[Row] = []
    for part in parts:
        for row in part():
            found.append(row)
            mark = "[green]✓[/]" if row.met else "[red]✗[/]"
            console.print(f"{mark} {row.what} / {row.against}: {row.ratio:.3g} ({row.goal})")
    about = {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": "1, or as the row says",
        "rounds": f"medians of {ROUNDS} or more, sides in turn",
        "torch": torch.__version__,
    }
    text = json.dumps({"about": about, "rows": [row._asdict() for row in found]}, indent=2)
    (HOME / "results.json").write_text(text + "\n", encoding="utf-8")
    console.print(_table(found))


def _table(found: list[Row]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("what", "against", "ours", "theirs", "ratio", "goal", ""):
        table.add_column(column)
    for row in found:
        mark = "[green]✓[/]" if row.met else "[red]✗[/]"
        table.add_row(*row[:4], f"{row.ratio:.3g}", row.goal, mark)
    return table


if __name__ == "__main__":
    main()
