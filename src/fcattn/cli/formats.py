"""Predictions as a table on a terminal, or as CSV, JSON or JSON lines for programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fcattn.errors import AudioError
from fcattn.prediction import Moment, Prediction

Outcome = Prediction | AudioError
Rows = Sequence[tuple[str, Outcome]]


def write(rows: Rows, labels: Sequence[str], form: str, out: TextIO) -> None:
    """Write outcomes by path.

    Args:
        rows: Path and prediction, or what is wrong with the file.
        labels: Class names in the order of the columns.
        form: ``table``, ``csv``, ``json`` or ``jsonl``.
        out: Where to.
    """
    if form == "table":
        _write_table(rows, out)
    elif form == "csv":
        writer = csv.writer(out, lineterminator="\n")
        timed = any(isinstance(one, Prediction) and one.timeline for _, one in rows)
        writer.writerow(["path", *(TIMES if timed else ()), "label", *labels, "error"])
        writer.writerows(cells for path, one in rows for cells in _cells(path, one, labels, timed))
    elif form == "json":
        json.dump([as_object(path, one) for path, one in rows], out, indent=2, ensure_ascii=False)
        out.write("\n")
    else:
        for path, one in rows:
            out.write(json.dumps(as_object(path, one), ensure_ascii=False) + "\n")


TIMES = ("start_s", "end_s")
"""Columns of a CSV with timelines, which has a row for every moment."""


def as_object(path: str, outcome: Outcome) -> dict[str, object]:
    """What JSON says of a file."""
    if isinstance(outcome, AudioError):
        return {"path": path, "error": str(outcome)}
    found: dict[str, object] = {"path": path, "label": outcome.label, "scores": outcome.scores}
    if outcome.timeline:
        found["timeline"] = [
            {"start_s": one.start_s, "end_s": one.end_s, "label": one.label, "scores": one.scores}
            for one in outcome.timeline
        ]
    return found


def complain(rows: Rows) -> None:
    """Name the files that failed, on standard error."""
    console = Console(stderr=True, soft_wrap=True)
    for _, why in rows:
        if isinstance(why, AudioError):
            console.print(f"[red]failed:[/] {escape(str(why))}", highlight=False)


def _cells(path: str, outcome: Outcome, labels: Sequence[str], timed: bool) -> Iterator[list[str]]:
    """A row for a file, or for each moment of it."""
    if isinstance(outcome, AudioError):
        yield [path, *("" for _ in (*(TIMES if timed else ()), "label", *labels)), str(outcome)]
        return
    for one in outcome.timeline or (outcome,):
        times = [f"{one.start_s:.3f}", f"{one.end_s:.3f}"] if isinstance(one, Moment) else ["", ""]
        scores = [f"{one.scores[name]:.6f}" for name in labels]
        yield [path, *(times if timed else ()), one.label, *scores, ""]


def _write_table(rows: Rows, out: TextIO) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("file", overflow="fold", min_width=20)
    table.add_column("emotion", no_wrap=True, min_width=9)
    table.add_column("", justify="right", no_wrap=True, min_width=4)
    table.add_column("then", style="dim", overflow="ellipsis", no_wrap=True)
    for path, outcome in rows:
        if isinstance(outcome, AudioError):
            table.add_row(escape(_short(path)), "[red]failed[/]", "", "see below")
            continue
        table.add_row(escape(path), *_said(outcome))
        for one in outcome.timeline:
            table.add_row(f"[dim]{one.start_s:9.1f} – {one.end_s:.1f} s[/]", *_said(one))
    Console(file=out, highlight=False).print(table)


def _said(one: Prediction | Moment) -> tuple[str, str, str]:
    (label, score), *others = one.scores.items()
    then = "  ".join(f"{name} {other:.0%}" for name, other in others[:3])
    return f"[bold]{label}[/]", f"{score:.0%}", then


def _short(path: str) -> str:
    """The path from the current folder, if it lies below."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path
