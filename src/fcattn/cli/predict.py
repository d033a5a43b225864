"""``fcattn predict``: files and folders in; a table, CSV or JSON out."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress

from fcattn.cli import formats
from fcattn.cli.formats import Outcome
from fcattn.errors import AudioError, ConfigError, FcattnError
from fcattn.sources import ENDINGS

if TYPE_CHECKING:
    from fcattn.listener import Listener


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


def listener(options: Namespace, device: str) -> Listener:
    """The model that the options name, on a device."""
    if options.onnx:
        from fcattn.onnx_classifier import OnnxClassifier

        return OnnxClassifier(options.onnx)
    from fcattn.classifier import EmotionClassifier

    network = EmotionClassifier.from_pretrained(options.model, strict=options.strict)
    try:
        return network.to(device)
    except (RuntimeError, AssertionError, ImportError) as error:
        raise FcattnError(f"device {device!r} cannot be used: {error}") from None


def find(paths: Sequence[str]) -> list[Path]:
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
