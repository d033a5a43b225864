"""What ``predict`` is given: sound files at paths, and a model."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fcattn.errors import FcattnError
from fcattn.sources import ENDINGS

if TYPE_CHECKING:
    from fcattn.listener import Listener


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
