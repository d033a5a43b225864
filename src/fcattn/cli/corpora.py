"""``fcattn check-data`` and ``fcattn make-standin``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from fcattn.data import standin
from fcattn.data.check import check
from fcattn.data.iemocap import STANDIN
from fcattn.data.known import Tally

SHOWN = 10
"""Problems that are named unless all are asked for."""

Item = TypeVar("Item")


def check_data(corpus: str, root: str, everything: bool) -> int:
    """Print counts beside the known ones, then what is wrong.

    Args:
        corpus: Which.
        root: Its folder.
        everything: True names every problem, not the first ones.

    Returns:
        0 if all agrees, else 1.

    Raises:
        CorpusError: If the folder does not hold the corpus, or a label file cannot be read.
    """
    errors = Console(stderr=True)

    def watch(items: Iterable[Item], total: int) -> Iterable[Item]:
        return track(items, "Reading headers", total, console=errors, transient=True)

    report = check(corpus, root, watch)
    console = Console(highlight=False, soft_wrap=True)
    wide = Console(highlight=False, width=None if console.is_terminal else 120)
    wide.print(_table(report.found, report.known))
    for note in report.notes:
        console.print(note, markup=False, style="dim")
    if not report.problems:
        console.print("[green]all agrees[/] with the known counts, and every file can be read")
        return 0
    shown = report.problems if everything else report.problems[:SHOWN]
    for problem in shown:
        console.print(f"[red]✗[/] {escape(problem)}")
    if len(shown) < len(report.problems):
        console.print(f"… and {len(report.problems) - len(shown)} more: --all names them")
    return 1


def make_standin(out: str, source: str | None) -> int:
    """Write a stand-in for IEMOCAP and say what it is; returns 0."""

    def watch(items: Iterable[int], total: int) -> Iterable[int]:
        return track(items, "Writing sessions", total, console=Console(stderr=True), transient=True)

    folder = standin.write(out, source, watch)
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{folder}: laid out like IEMOCAP; it is not IEMOCAP, see {STANDIN}")
    return 0


def _table(found: Tally, known: Tally) -> Table:
    """Counts by row and class; a count that is not the known one stands beside it in red."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    names = list(dict.fromkeys(name for row in known.values() for name in row))
    names = [name for name in names if name != "all"] + ["all"]
    table.add_column("", no_wrap=True)
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for row in dict.fromkeys((*known, *found)):
        table.add_row(row, *(_cell(found, known, row, name) for name in names))
    return table


def _cell(found: Tally, known: Tally, row: str, name: str) -> str:
    got, expected = found.get(row, {}).get(name, 0), known.get(row, {}).get(name)
    if expected is None:
        return f"[dim]{got}[/]" if got else "[dim]·[/]"
    return f"{got}" if got == expected else f"[red]{got}/{expected}[/]"
