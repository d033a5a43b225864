"""Cross-validation: every fold and seed a training of its own, safe to stop and to start again.

A fold's folder is that of any training run; it counts as finished once ``fold.json`` is there,
which is written last.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from lightning import Trainer
from lightning.pytorch.callbacks import Timer
from lightning.pytorch.utilities import rank_zero_only

from fcattn import judged
from fcattn.data import EmotionDataModule
from fcattn.errors import ConfigError
from fcattn.evaluation import calibrate, judge, measure_alignment
from fcattn.judged import Judged
from fcattn.run import best_network, keep_curve, last_checkpoint
from fcattn.training import EmotionTask

DONE, SETTINGS, PREDICTIONS = "fold.json", "settings.json", "predictions.csv"


class Setup(Protocol):
    """What a fold needs: built anew for each."""

    model: EmotionTask
    datamodule: EmotionDataModule
    trainer: Trainer


class Finished(NamedTuple):
    """A fold that was trained and judged.

    Attributes:
        facts: What ``fold.json`` holds: fold, seed, split, speakers, temperature, alignment, times.
        predictions: Of the fold's test speakers, or validation speakers where nobody tests.
    """

    facts: dict[str, Any]
    predictions: Judged


def cross_validate(
    make: Callable[[int, int, Path], Setup],
    out: Path,
    folds: Sequence[int],
    seeds: Sequence[int],
) -> Iterator[Finished]:
    """Train and judge every fold with every seed; what is finished is not done again.

    Args:
        make: Builds the training of a fold and a seed in a folder.
        out: Folder of the cross-validation.
        folds: Numbers of the folds, from 1.
        seeds: Seeds of the trainings.

    Yields:
        Each fold when it is done, in a fixed order.
    """
    for seed in seeds:
        for fold in folds:
            folder = out / f"fold-{fold}_seed-{seed}"
            if not (folder / DONE).is_file():
                run = make(fold, seed, folder)
                _train(run, folder)
                _judge(run, folder)
                run.trainer.strategy.barrier()
            yield _finished(folder)


def keep_settings(out: Path, settings: Mapping[str, Any]) -> None:
    """Write the settings of a cross-validation, or compare them with those that are there.

    Raises:
        ConfigError: If the folder holds a cross-validation of other settings.
    """
    path = out / SETTINGS
    if path.is_file():
        before = json.loads(path.read_text(encoding="utf-8"))
        for name, value in json.loads(json.dumps(settings)).items():
            if before.get(name) != value:
                raise ConfigError(
                    f"{out} holds a cross-validation with {name} = {before.get(name)}, not {value}:"
                    " choose another --out, or go back to the old setting"
                )
    else:
        write_json(path, settings)


@rank_zero_only
def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write a file of JSON, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    text = json.dumps(values, indent=2, ensure_ascii=False)
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(path)


def _train(run: Setup, folder: Path) -> None:
    last = last_checkpoint(folder)
    keep_curve(folder)
    run.trainer.fit(
        run.model, datamodule=run.datamodule, ckpt_path=str(last) if last.is_file() else None
    )


@rank_zero_only
def _judge(run: Setup, folder: Path) -> None:
    """Measure the best epoch on those who test, in one process and as ``release`` does."""
    data, network = run.datamodule, best_network(folder)
    split = data.tested_split
    calibrate(network, data)
    judged.write(folder / PREDICTIONS, judge(network, data, split))
    people = {part: sorted({one.speaker for one in data.splits[part]}) for part in data.splits}
    timer = next(one for one in run.trainer.callbacks if isinstance(one, Timer))  # type: ignore[attr-defined]
    rate_hz = data.sample_rate_hz
    write_json(
        folder / DONE,
        {
            "fold": data.fold,
            "seed": data.seed,
            "split": split,
            "speakers": people,
            "temperature": network.config.temperature,
            "alignment": measure_alignment(network, data, split),
            "speech_s": sum(data.clips(split).lengths()) / rate_hz,
            "training_s": timer.time_elapsed("train"),
        },
    )


def _finished(folder: Path) -> Finished:
    facts = json.loads((folder / DONE).read_text(encoding="utf-8"))
    return Finished(facts, judged.read(folder / PREDICTIONS))
