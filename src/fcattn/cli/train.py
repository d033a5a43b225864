"""``fcattn fit``, ``validate`` and ``test``: LightningCLI with our defaults."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentError
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import EMAWeightAveraging, Timer
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI, SaveConfigCallback
from lightning.pytorch.loggers import CSVLogger

from fcattn import checkpoint, hub
from fcattn.data import EmotionDataModule
from fcattn.errors import ConfigError, FcattnError, UnknownModelError
from fcattn.run import BestAndLast, best_checkpoint, keep_curve, last_checkpoint
from fcattn.training import EmotionTask

STAGES = ("fit", "validate", "test")


class KeepConfig(SaveConfigCallback):
    """Write ``config.yaml`` into the folder of the run when training begins."""

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Write it in a fit alone, so that measuring does not change what a run is."""
        if stage == "fit":
            super().setup(trainer, pl_module, stage)


class FcattnCLI(LightningCLI):
    """A recipe makes task, data and trainer; the run lies in ``trainer.default_root_dir``."""

    def __init__(self, arguments: list[str] | dict[str, Any], run: bool = True) -> None:
        warnings.filterwarnings("ignore", "LightningCLI's args parameter")
        warnings.filterwarnings("ignore", ".*LeafSpec", module="lightning.*")
        warnings.filterwarnings("ignore", ".*smaller than the logging interval")
        warnings.filterwarnings("ignore", ".*directory .* exists and is not empty")
        strict = {"exit_on_error": False}
        super().__init__(
            EmotionTask,
            EmotionDataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            save_config_callback=KeepConfig,
            save_config_kwargs={"overwrite": True},
            parser_kwargs={"exit_on_error": False, **dict.fromkeys(STAGES, strict)}
            if run
            else strict,
            trainer_defaults={
                "use_distributed_sampler": False,
                "gradient_clip_val": 1.0,
                "callbacks": [BestAndLast(), Timer()],
            },
            seed_everything_default=0,
            args=arguments,
            run=run,
        )

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Name the averaging of weights, and tie what model and data must share."""
        parser.add_lightning_class_args(EMAWeightAveraging, "averaging")
        parser.set_defaults({"averaging.decay": 0.99})
        parser.link_arguments("data.labels", "model.init_args.labels", apply_on="instantiate")
        for target in ("model.init_args.seed", "data.init_args.seed"):
            parser.link_arguments("seed_everything", target, compute_fn=int)
        parser.link_arguments(
            "model.init_args.features.sample_rate_hz", "data.init_args.sample_rate_hz"
        )

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """Give the run one folder; ``validate`` and ``test`` write to folders in it."""
        self.folder = Path(self._get(self.config_init, "trainer")["default_root_dir"] or "runs")
        part = "" if self.subcommand in (None, "fit") else self.subcommand
        logger = CSVLogger(self.folder, name="", version=part)
        return super().instantiate_trainer(logger=logger, **kwargs)

    def before_fit(self) -> None:
        """Refuse to write one run over another; going on with one keeps its learning curve."""
        if self._chosen() is None and last_checkpoint(self.folder).exists():
            raise ConfigError(
                f"{self.folder} holds a training: add --ckpt_path last to go on with it, or choose "
                "another --trainer.default_root_dir"
            )
        keep_curve(self.folder)

    def before_validate(self) -> None:
        """Find the weights to measure."""
        self._find_weights()

    def before_test(self) -> None:
        """Find the weights to measure."""
        self._find_weights()

    def _chosen(self) -> str | None:
        chosen: str | None = self._settings().get("ckpt_path")
        return chosen

    def _settings(self) -> Any:
        return self.config_init[self.subcommand]

    def _find_weights(self) -> None:
        """Take the run's best checkpoint, a file, or a released model; never untrained weights."""
        chosen = self._chosen()
        if chosen is None:
            chosen = str(best_checkpoint(self.folder))
            if not Path(chosen).exists():
                raise FcattnError(
                    f"no trained weights at {chosen}: run fcattn fit first, or give --ckpt_path "
                    "with a file or the name of a model"
                )
        if Path(chosen).is_file() or chosen in ("best", "last"):
            self._settings()["ckpt_path"] = chosen
            return
        load_released(self.model, chosen)
        self._settings()["ckpt_path"] = None


def train(words: list[str]) -> int:
    """Run ``fit``, ``validate`` or ``test``; returns 0.

    Raises:
        ConfigError: If a recipe or flag is wrong.
    """
    try:
        FcattnCLI(words)
    except ArgumentError as error:
        raise ConfigError(f"{error}; see fcattn {words[0]} --help") from None
    return 0


def load_released(task: EmotionTask, name: str) -> None:
    """Give a task the weights of a model by name or folder.

    Raises:
        ConfigError: If the recipe describes another network than that of the weights.
    """
    try:
        found = checkpoint.load(hub.resolve(name))
    except UnknownModelError as error:
        raise UnknownModelError(f"--ckpt_path: no such file, and {error}") from None
    for part in ("labels", "attention", "features", "network"):
        ours, theirs = getattr(task.config, part), getattr(found.config, part)
        if ours != theirs:
            raise ConfigError(f"{name}: its {part} are {theirs}, those of the recipe {ours}")
    task.network.load_state_dict(found.weights, strict=True)
    task.network.config = found.config
