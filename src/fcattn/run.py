"""The folder of a training run: what lies where, and what is read from it afterwards."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.utilities import rank_zero_only

from fcattn.config import ModelConfig
from fcattn.errors import CheckpointError
from fcattn.model import EmotionNetwork

CONFIG, CHECKPOINTS = "config.yaml", "checkpoints"
BEST, LAST = "best.ckpt", "last.ckpt"


def best_checkpoint(folder: Path) -> Path:
    """Weights of the epoch with the highest validation UA."""
    return folder / CHECKPOINTS / BEST


def last_checkpoint(folder: Path) -> Path:
    """All that is needed to go on after the last epoch."""
    return folder / CHECKPOINTS / LAST


def best_network(folder: Path) -> EmotionNetwork:
    """The network of a run's best epoch, in eval mode; nothing is unpickled.

    Raises:
        CheckpointError: If no epoch was finished.
    """
    path = best_checkpoint(folder)
    if not path.is_file():
        raise CheckpointError(f"{folder}: no {CHECKPOINTS}/{BEST}; let fcattn fit finish an epoch")
    stored = torch.load(path, map_location="cpu", weights_only=True)
    network = EmotionNetwork(ModelConfig.from_dict(stored["fcattn"]))
    prefix = "network."
    weights = {
        key.removeprefix(prefix): value
        for key, value in stored["state_dict"].items()
        if key.startswith(prefix)
    }
    network.load_state_dict(weights, strict=True)
    return network.eval()


class BestAndLast(ModelCheckpoint):
    """Keep the epoch with the highest validation UA, and the last one.

    Lightning forgets which epoch was best when the folder of a run was moved, and the next one
    would take its place; here a folder may move.
    """

    def __init__(self) -> None:
        super().__init__(
            filename=BEST.removesuffix(".ckpt"),
            monitor="val/UA",
            mode="max",
            save_last=True,
            save_on_train_epoch_end=True,  # so that a resumed run begins a new epoch
            auto_insert_metric_name=False,
            enable_version_counter=False,
        )

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take up the state of a run that may have lain elsewhere."""
        folder = Path(self.dirpath or ".")

        def here(path: str) -> str:
            return str(folder / Path(path).name) if path else path

        moved = {name: here(state_dict[name]) for name in state_dict if name.endswith("_path")}
        best = {here(path): score for path, score in state_dict["best_k_models"].items()}
        place = {"dirpath": self.dirpath, "best_k_models": best}
        super().load_state_dict({**state_dict, **moved, **place})


@rank_zero_only
def keep_curve(folder: Path) -> None:
    """Rename ``metrics.csv`` to ``metrics-1.csv``, or the next free number, if it is there."""
    curve = folder / "metrics.csv"
    if curve.is_file():
        number = 1 + len(list(folder.glob("metrics-*.csv")))
        curve.rename(folder / f"metrics-{number}.csv")


def versions() -> dict[str, str]:
    """What results are made with: fcattn, torch, and the commit where there is one."""
    asked = subprocess.run(
        ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    commit = {"commit": asked.stdout.strip()} if asked.returncode == 0 else {}
    return {"fcattn": version("fcattn"), "torch": torch.__version__, **commit}
