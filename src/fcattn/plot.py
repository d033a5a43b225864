"""Pictures; they need matplotlib, which ``fcattn[plot]`` installs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fcattn.errors import DependencyError


def confusion_picture(path: Path, labels: Sequence[str], counts: Any, title: str) -> None:
    """Draw a confusion matrix: shares of each true class, with the counts.

    Args:
        path: PNG to write.
        labels: Class names.
        counts: (classes, classes); rows are true.
        title: Above the picture.

    Raises:
        DependencyError: If matplotlib is not installed.
    """
    figure, axes = _canvas(1.6 + 0.75 * len(labels))
    table = np.asarray(counts)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(table):
        colour = "white" if shares[row, column] > 0.55 else "#223"
        text = f"{shares[row, column]:.0%}\n{count}"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)
    places = range(len(labels))
    axes.set_xticks(places, labels, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, labels)
    axes.set(xlabel="predicted", ylabel="true")
    axes.set_title(title, fontsize=10)
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    figure.savefig(path, dpi=150, bbox_inches="tight")


def _canvas(size: float) -> tuple[Any, Any]:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise DependencyError(
            "pictures need matplotlib, which is not installed: pip install 'fcattn[plot]'"
        ) from None
    figure = Figure(figsize=(size, size))
    return figure, figure.subplots()
