"""``fcattn predict``: files and folders in; a table, CSV or JSON out."""

from __future__ import annotations

import os
import sys
from argparse import Namespace

from rich.console import Console
from rich.progress import Progress

from fcattn.cli import formats
from fcattn.cli.formats import Outcome
from fcattn.cli.inputs import find, listener
from fcattn.errors import AudioError, ConfigError


def predict(options: Namespace) -> int:
    """Predict every sound file at the paths; a broken one is named and does not stop the others.

    Args:
        options: ``paths``, ``model`` or ``onnx``, ``format``, ``device``, ``strict``, ``hop_s``,
            ``window_s``, and for bulk work ``out`` and ``devices``.

    Returns:
        0 if every file was predicted, 1 if one was not.

    Raises:
        FcattnError: If a folder holds no sound file or the device does not exist.
    """
    files = find(options.paths)
    if options.out or options.devices > 1:
        from fcattn.cli.bulk import work

        if not options.out:
            raise ConfigError("--devices needs --out FILE.jsonl, to which results are appended")
        return work(files, options)
    model = listener(options, options.device)
    outcomes: dict[int, Outcome] = {}
    with Progress(console=Console(stderr=True), transient=True, disable=len(files) < 20) as bar:
        task = bar.add_task("Listening", total=len(files))
        for place, outcome in model.predict_many(
            files, hop_s=options.hop_s, window_s=options.window_s
        ):
            outcomes[place] = outcome
            bar.advance(task)
    rows = [(os.fspath(path), outcomes[place]) for place, path in enumerate(files)]
    formats.write(rows, model.scorer.labels, options.format, sys.stdout)
    if options.format in ("table", "csv"):
        formats.complain(rows)
    return 1 if any(isinstance(one, AudioError) for one in outcomes.values()) else 0
