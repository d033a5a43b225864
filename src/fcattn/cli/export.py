"""``fcattn export``: a model as an ONNX file, checked before it is written."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from fcattn import export as onnx
from fcattn.classifier import EmotionClassifier


def export(name: str, out: str, int8: bool) -> int:
    """Write a model as ONNX and say how far its scores are from the model's; returns 0."""
    model = EmotionClassifier.from_pretrained(name)
    difference = onnx.export(model, Path(out), int8)
    size = Path(out).stat().st_size / 1e6
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        f"{out}: {model.provenance.name}, {size:.1f} MB, {'int8' if int8 else 'float32'}; "
        f"largest difference of a score {difference:.1e}"
    )
    return 0
