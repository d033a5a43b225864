"""``fcattn crossval`` and ``fcattn compare``."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentError
from lightning.pytorch.utilities import rank_zero_only
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fcattn import comparison, results
from fcattn.cli.train import FcattnCLI
from fcattn.crossval import PREDICTIONS, Finished, cross_validate, keep_settings
from fcattn.errors import ConfigError, DependencyError
from fcattn.plot import confusion_picture

SAME_RESULTS = ("cache_dir", "workers", "seed", "fold", "root")
"""Settings of the data that do not belong to what a cross-validation is."""


def crossval(words: Sequence[str], folds: str, seeds: str | None, out: str | None) -> int:
    """Train and judge all folds of a recipe's protocol.

    Args:
        words: Recipe and settings, as ``fcattn fit`` takes them.
        folds: ``all``, or numbers such as ``1,3``.
        seeds: Numbers such as ``0,1,2``; the recipe's own by default.
        out: Folder; beside the folder of the recipe's runs by default.

    Raises:
        ConfigError: If the settings are wrong or the folder holds another cross-validation.
    """
    for part in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(part).setLevel(logging.WARNING)
    first = _setup(words)
    data = first.datamodule
    data.prepare_data()
    count = len(data.folds(data.utterances()))
    chosen = _numbers(folds, "--folds", 1, count) if folds != "all" else list(range(1, count + 1))
    drawn = _numbers(seeds, "--seeds", 0, 2**32 - 1) if seeds else [data.seed]
    home = Path(out or f"{first.folder}-crossval")
    settings = _settings(first)
    keep_settings(home, settings)

    def make(fold: int, seed: int, folder: Path) -> FcattnCLI:
        own = ["--data.fold", str(fold), "--seed_everything", str(seed)]
        quiet = ["--trainer.enable_model_summary", "false"]
        return _setup([*words, *quiet, *own, "--trainer.default_root_dir", str(folder)])

    about = {
        "attention": first.model.attention,
        "corpus": data.corpus,
        "protocol": data.protocol,
        "labels": list(data.labels),
        "settings": settings,
    }
    finished: list[Finished] = []
    for one in cross_validate(make, home, chosen, drawn):
        finished.append(one)
        _report(home, about, finished, len(chosen) * len(drawn))
    return 0


def compare(first: str, second: str, form: str) -> int:
    """Print how the second of two cross-validations differs from the first."""
    found = comparison.compare(*(Path(one) / PREDICTIONS for one in (first, second)))
    console = Console(highlight=False, soft_wrap=True)
    if form == "json":
        console.print_json(
            json.dumps({**found._asdict(), "difference": found.difference._asdict()})
        )
        return 0
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("", "UA", "95 % interval", "p"):
        table.add_column(column, justify="left" if not column else "right")
    difference = found.difference
    table.add_row(f"A  {first}", f"{100 * found.first:.1f} %", "", "")
    table.add_row(f"B  {second}", f"{100 * found.second:.1f} %", "", "")
    table.add_row(
        "B - A",
        f"{100 * difference.value:+.1f}",
        f"{100 * difference.low:+.1f} … {100 * difference.high:+.1f}",
        f"{found.p:.4f}",
    )
    console.print(table)
    console.print(
        f"{found.utterances} utterances of {found.speakers} speakers, {found.seeds} seeds each; "
        "interval: bootstrap over speakers; p: exchanges utterance by utterance",
        style="dim",
    )
    return 0


def _setup(words: Sequence[str]) -> FcattnCLI:
    try:
        return FcattnCLI(list(words), run=False)
    except ArgumentError as error:
        raise ConfigError(f"{error}; fcattn crossval takes the settings of fcattn fit") from None


def _settings(setup: FcattnCLI) -> dict[str, Any]:
    """What makes a cross-validation what it is, without paths, fold and seed."""
    whole = json.loads(setup.parser.dump(setup.config, format="json", skip_link_targets=False))
    data = {key: one for key, one in whole["data"]["init_args"].items() if key not in SAME_RESULTS}
    model = {key: one for key, one in whole["model"]["init_args"].items() if key != "seed"}
    return {
        "model": whole["model"]["class_path"],
        **{f"model.{key}": value for key, value in sorted(model.items())},
        "data": whole["data"]["class_path"],
        "corpus": setup.datamodule.corpus,
        **{f"data.{key}": value for key, value in sorted(data.items())},
        "averaging": whole["averaging"],
        "max_epochs": whole["trainer"]["max_epochs"],
    }


def _numbers(text: str, flag: str, low: int, high: int) -> list[int]:
    words = [word.strip() for word in text.split(",")]
    numbers = [int(word) for word in words if word.isdigit()]
    if len(numbers) < len(words) or not all(low <= number <= high for number in numbers):
        raise ConfigError(f"{flag} {text}: expected numbers from {low} to {high}, as in 1,3")
    return sorted(set(numbers))


@rank_zero_only
def _report(home: Path, about: dict[str, Any], finished: list[Finished], total: int) -> None:
    """Write the results so far and say a line."""
    found = results.write(home, about, finished)
    console = Console(highlight=False, soft_wrap=True)
    last, pooled = found["each"][-1], found["pooled"]
    console.print(
        f"fold {last['fold']}, seed {last['seed']}: UA {100 * last['UA']:.1f} %, "
        f"WA {100 * last['WA']:.1f} %  ({len(finished)} of {total})"
    )
    if len(finished) < total:
        return
    title = f"{about['attention']} on {about['corpus']}, {about['protocol']}"
    try:
        confusion_picture(home / results.PICTURE, about["labels"], pooled["confusion"], title)
    except DependencyError as error:
        console.print(f"[yellow]note:[/] no {results.PICTURE}: {escape(str(error))}")
    shown = "{value:.1%} ({low:.1%} – {high:.1%})".format(**pooled["UA"])
    console.print(f"pooled UA {shown} → {home / results.PAGE}")
