"""``results.json`` as a table in Markdown: ``python -m bench.table`` or ``… tried``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.sides import Row

HOME = Path(__file__).parent
TRIED = "tried"


def markdown(kind: str) -> str:
    """The rows that have a goal or a plain ratio, or those that were tried."""
    found = json.loads((HOME / "results.json").read_text(encoding="utf-8"))
    rows = [
        Row(**{name: value for name, value in row.items() if name != "part"})
        for row in found["rows"]
        if (row["goal"] == TRIED) == (kind == TRIED)
    ]
    head = "| what | against | ours | theirs | ratio |"
    lines = [_line(row) for row in rows]
    if kind != TRIED:
        head += " goal |"
    about = ", ".join(f"{name} {value}" for name, value in found["about"].items())
    rule = "|---" * head.count(" |") + "|"
    return "\n".join([head, rule, *lines, "", f"Measured with: {about}."])


def _line(row: Row) -> str:
    cells = [*row[:4], row.shown]
    if row.goal != TRIED:
        cells.append(row.goal + ("" if row.met else " (missed)"))
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(markdown(TRIED if TRIED in sys.argv[1:] else "") + "\n")
