"""``fcattn predict``: files and folders in; a table, CSV or JSON out."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from fcattn.classifier import EmotionClassifier
from fcattn.errors import AudioError, FcattnError
from fcattn.prediction import Prediction
from fcattn.sources import ENDINGS

Outcome = Prediction | AudioError


def predict(
    paths: Sequence[str], model: str, form: str, device: str = "cpu", strict: bool = False
) -> int:
    """Predict every sound file at the paths; a broken one is named and does not stop the others.

    Args:
        paths: Files, and folders that are searched for sound files.
        model: Name or checkpoint folder.
        form: ``table``, ``csv``, ``json`` or ``jsonl``.
        device: Where the network runs.
        strict: True refuses substitute weights.

    Returns:
        0 if every file was predicted, 1 if one was not.

    Raises:
        FcattnError: If a folder holds no sound file or the device does not exist.
    """
    files = _files(paths)
    network = EmotionClassifier.from_pretrained(model, strict=strict)
    try:
        network.to(device)
    except (RuntimeError, AssertionError, ImportError) as error:
        raise FcattnError(f"device {device!r} cannot be used: {error}") from None
    outcomes: dict[int, Outcome] = {}
    with Progress(console=Console(stderr=True), transient=True, disable=len(files) < 20) as bar:
        task = bar.add_task("Listening", total=len(files))
        for place, outcome in network.predict_many(files):
            outcomes[place] = outcome
            bar.advance(task)
    rows = [(os.fspath(path), outcomes[place]) for place, path in enumerate(files)]
    _write(rows, network.config.labels, form, sys.stdout)
    broken = [(path, one) for path, one in rows if isinstance(one, AudioError)]
    if form in ("table", "csv"):
        complain = Console(stderr=True, soft_wrap=True)
        for _, why in broken:
            complain.print(f"[red]failed:[/] {escape(str(why))}", highlight=False)
    return 1 if broken else 0


def _files(paths: Sequence[str]) -> list[Path]:
    """Files as given; of folders, every sound file below."""
    files: list[Path] = []
    for path in map(Path, paths):
        if not path.is_dir():
            files.append(path)
            continue
        below = [one for one in sorted(path.rglob("*")) if _is_sound(one)]
        if not below:
            raise FcattnError(f"{path}: a folder without sound files ({', '.join(ENDINGS)})")
        files += below
    return files


def _is_sound(path: Path) -> bool:
    return path.suffix.lower() in ENDINGS and not path.name.startswith(".") and path.is_file()


def _write(rows: list[tuple[str, Outcome]], labels: Sequence[str], form: str, out: TextIO) -> None:
    if form == "table":
        _write_table(rows, out)
    elif form == "csv":
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["path", "label", *labels, "error"])
        writer.writerows(_cells(path, one, labels) for path, one in rows)
    elif form == "json":
        json.dump(list(_objects(rows)), out, indent=2, ensure_ascii=False)
        out.write("\n")
    else:
        for item in _objects(rows):
            out.write(json.dumps(item, ensure_ascii=False) + "\n")


def _cells(path: str, outcome: Outcome, labels: Sequence[str]) -> list[str]:
    if isinstance(outcome, AudioError):
        return [path, "", *("" for _ in labels), str(outcome)]
    return [path, outcome.label, *(f"{outcome.scores[name]:.6f}" for name in labels), ""]


def _objects(rows: list[tuple[str, Outcome]]) -> Iterator[dict[str, object]]:
    for path, outcome in rows:
        if isinstance(outcome, AudioError):
            yield {"path": path, "error": str(outcome)}
        else:
            yield {"path": path, "label": outcome.label, "scores": outcome.scores}


def _write_table(rows: list[tuple[str, Outcome]], out: TextIO) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("file", overflow="fold", min_width=20)
    table.add_column("emotion", no_wrap=True, min_width=9)
    table.add_column("", justify="right", no_wrap=True, min_width=4)
    table.add_column("then", style="dim", overflow="ellipsis", no_wrap=True)
    for path, outcome in rows:
        if isinstance(outcome, AudioError):
            table.add_row(escape(_short(path)), "[red]failed[/]", "", "see below")
            continue
        others = list(outcome.scores.items())[1:4]
        then = "  ".join(f"{name} {score:.0%}" for name, score in others)
        table.add_row(escape(path), f"[bold]{outcome.label}[/]", f"{outcome.confidence:.0%}", then)
    Console(file=out, highlight=False).print(table)


def _short(path: str) -> str:
    """The path from the current folder, if it lies below."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path
