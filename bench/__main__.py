"""Measure everything: ``make bench``, or a part of it: ``python -m bench clips long``.

Needs a quiet machine and ``pip install 'fcattn[bench]'``.
"""

from __future__ import annotations

import json
import os
import platform
import sys
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


def main(wanted: list[str]) -> None:
    """Print each row as it comes, and put each part into ``results.json`` when it is done."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = EmotionClassifier(ModelConfig(LABELS)).eval()
    parts: dict[str, Callable[[], Iterator[Row]]] = {
        "startup": startup.rows,
        "attention": attention.rows,
        "clips": lambda: clips.rows(model),
        "training": training.rows,
        "long": lambda: long.rows(model),
        "tried": tried.rows,
    }
    console = Console(highlight=False)
    found: list[Row] = []
    for name in wanted or parts:
        rows = []
        for row in parts[name]():
            rows.append(row)
            mark = "[green]✓[/]" if row.met else "[red]✗[/]"
            console.print(f"{mark} {row.what} / {row.against}: {row.shown} ({row.goal})")
        _keep(name, rows, list(parts))
        found += rows
    console.print(_table(found))


def _keep(part: str, rows: list[Row], order: list[str]) -> None:
    """Put the rows of a part in place of its old ones."""
    path = HOME / "results.json"
    old = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.is_file() else []
    new = [{"part": part, **row._asdict()} for row in rows]
    kept = [row for row in old if row["part"] != part] + new
    about = {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": "1, or as the row says",
        "rounds": f"medians of {ROUNDS} or more, sides in turn",
        "torch": torch.__version__,
    }
    results = {"about": about, "rows": sorted(kept, key=lambda row: order.index(row["part"]))}
    path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def _table(found: list[Row]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("what", "against", "ours", "theirs", "ratio", "goal", ""):
        table.add_column(column)
    for row in found:
        mark = "[green]✓[/]" if row.met else "[red]✗[/]"
        table.add_row(*row[:4], row.shown, row.goal, mark)
    return table


if __name__ == "__main__":
    main(sys.argv[1:])
