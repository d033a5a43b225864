"""Bulk work: many files over several processes, results appended as they come, safe to stop."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock
from rich.console import Console
from rich.progress import Progress

from fcattn.cli import formats
from fcattn.cli.inputs import listener
from fcattn.errors import ConfigError


def work(files: Sequence[Path], options: Namespace) -> int:
    """Predict files into ``options.out``, JSON lines; those that stand there are not done again.

    Args:
        files: What to predict.
        options: As of ``predict``; each of ``options.devices`` processes takes its share.

    Returns:
        0 if every file of the list has a prediction, 1 if one failed.

    Raises:
        ConfigError: If the file does not end with .jsonl or holds something else.
    """
    out = Path(options.out)
    if out.suffix != ".jsonl":
        raise ConfigError(f"--out {out}: expected a name that ends with .jsonl")
    out.parent.mkdir(parents=True, exist_ok=True)
    if options.devices == 1:
        _share(files, options, out, options.device, 0, 1)
    else:
        from lightning.fabric import Fabric

        kind = "auto" if options.device == "cpu" and options.onnx is None else "cpu"
        fabric = Fabric(accelerator=kind, devices=options.devices, strategy="ddp")
        fabric.launch()
        _share(files, options, out, str(fabric.device), fabric.global_rank, fabric.world_size)
        fabric.barrier()
        if fabric.global_rank:
            return 0
    return _summarise(files, out)


def finished(out: Path) -> dict[str, dict[str, Any]]:
    """What stands in the file by path; a last line that was cut off is taken away.

    Raises:
        ConfigError: If another line is no result.
    """
    if not out.is_file():
        return {}
    lines = out.read_bytes().splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n"):
        os.truncate(out, sum(map(len, lines[:-1])))
        lines.pop()
    found = {}
    for number, line in enumerate(lines, start=1):
        try:
            item = json.loads(line)
            found[item["path"]] = item
        except (ValueError, KeyError, TypeError):
            raise ConfigError(
                f"{out}, line {number}: not a result of fcattn predict; choose another --out"
            ) from None
    return found


def _share(
    files: Sequence[Path], options: Namespace, out: Path, device: str, rank: int, processes: int
) -> None:
    """Predict this process's share of the files that are left."""
    lock = FileLock(f"{out}.lock")
    with lock:
        done = finished(out)
    mine = [path for path in files[rank::processes] if os.fspath(path) not in done]
    model = listener(options, device)
    with Progress(console=Console(stderr=True), transient=True, disable=rank > 0) as bar:
        task = bar.add_task("Listening", total=len(mine))
        for place, outcome in model.predict_many(
            mine, hop_s=options.hop_s, window_s=options.window_s
        ):
            line = json.dumps(
                formats.as_object(os.fspath(mine[place]), outcome), ensure_ascii=False
            )
            with lock, out.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
            bar.advance(task)


def _summarise(files: Sequence[Path], out: Path) -> int:
    done = finished(out)
    Path(f"{out}.lock").unlink(missing_ok=True)
    asked = [done[os.fspath(path)] for path in files]
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    failed = [item for item in asked if "error" in item]
    for item in failed:
        console.print(f"[red]failed:[/] {item['path']}: {item['error']}", markup=True)
    console.print(f"{len(asked) - len(failed)} of {len(asked)} files predicted → {out}")
    return 1 if failed else 0
