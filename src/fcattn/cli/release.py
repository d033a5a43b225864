"""``fcattn release``: a training run becomes a checkpoint folder, measured again on the way."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path
from typing import Any

import torch
import yaml
from rich.console import Console

from fcattn import card, checkpoint
from fcattn.checkpoint import Checkpoint, Provenance
from fcattn.cli.train import BEST, FcattnCLI
from fcattn.config import ModelConfig
from fcattn.data import EmotionDataModule, MultiCorpus
from fcattn.data.module import Split
from fcattn.errors import CheckpointError, ConfigError
from fcattn.evaluation import CAUTION, figures, fit_temperature, judge, measure_alignment
from fcattn.model import EmotionNetwork

PARTS = ("seed_everything", "model", "data", "trainer", "averaging")
"""Of a run's config, what makes task, data and trainer; the rest is of one command."""

LANGUAGES = {"RAVDESS": "en", "EmoDB": "de", "nEMO": "pl", "IEMOCAP": "en"}
LICENCES = {"RAVDESS": "cc-by-nc-sa-4.0", "nEMO": "cc-by-nc-sa-4.0", "EmoDB": "cc0-1.0"}
NAMES = {"ravdess": "RAVDESS", "emodb": "EmoDB", "nemo": "nEMO", "iemocap": "IEMOCAP"}


def release(run: str, name: str, out: str, root: str | None = None, note: str = "") -> int:
    """Write ``OUT/NAME`` from a run's best checkpoint and its ``config.yaml``.

    The temperature is fitted on the validation speakers, and every judged split is measured again
    with the very weights that are released.

    Args:
        run: Folder of the run.
        name: Of the model.
        out: Folder to write to.
        root: Folder of the corpus, if it has moved since.
        note: What users of the weights must know.

    Raises:
        CheckpointError: If the run has no finished checkpoint.
        ConfigError: If the name says another attention or corpus than the run has.
    """
    folder = Path(run)
    setup = _open(folder, root)
    data: EmotionDataModule = setup.datamodule
    _check_name(name, setup.model.attention, _corpora(data))
    data.prepare_data()
    data.setup("validate")
    network = _best_network(folder)
    temperature = fit_temperature(judge(network, data, "validation"))
    network.config = dataclasses.replace(network.config, temperature=temperature)
    results: dict[str, Any] = {split: _measure(network, data, split) for split in _splits(data)}
    results["validation"]["caution"] = CAUTION
    whole = Checkpoint(
        network.config, network.state_dict(), _provenance(setup, name, note), results
    )
    target = checkpoint.save(Path(out) / name, whole, card.render(whole))
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]{name}[/] → {target}")
    for split, result in results.items():
        shown = "  ".join(f"{one} {100 * result[one]['value']:.1f} %" for one in ("UA", "WA", "F1"))
        console.print(f"{split}: {shown}  ({result['utterances']} utterances)")
    return 0


def _check_name(name: str, attention: str, corpora: tuple[str, ...]) -> None:
    """Refuse a name from which a user would expect other weights."""
    kind, _, corpus = name.rpartition("-")
    if kind != attention.replace("_", "-"):
        raise ConfigError(
            f"--name {name}: expected {attention.replace('_', '-')}-CORPUS, as the run's attention "
            f"is {attention}"
        )
    if corpus in NAMES and (NAMES[corpus],) != corpora:
        raise ConfigError(f"--name {name}: the run was trained on {', '.join(corpora)}")


def _open(folder: Path, root: str | None) -> FcattnCLI:
    config = folder / "config.yaml"
    if not config.is_file():
        raise CheckpointError(f"{folder}: no config.yaml; expected the folder of a fcattn fit")
    settings = yaml.safe_load(config.read_text(encoding="utf-8"))
    if root:
        settings["data"]["init_args"]["root"] = root
    return FcattnCLI({key: settings[key] for key in settings if key in PARTS}, run=False)


def _best_network(folder: Path) -> EmotionNetwork:
    path = folder / "checkpoints" / BEST
    if not path.is_file():
        raise CheckpointError(f"{folder}: no checkpoints/{BEST}; let fcattn fit finish an epoch")
    stored = torch.load(path, map_location="cpu", weights_only=True)
    config = ModelConfig.from_dict(stored["fcattn"])
    network = EmotionNetwork(config)
    prefix = "network."
    weights = {
        key.removeprefix(prefix): value
        for key, value in stored["state_dict"].items()
        if key.startswith(prefix)
    }
    network.load_state_dict(weights, strict=True)
    return network.eval()


def _splits(data: EmotionDataModule) -> list[Split]:
    return ["validation", "test"] if data.splits["test"] else ["validation"]


def _measure(network: EmotionNetwork, data: EmotionDataModule, split: Split) -> dict[str, Any]:
    judged = judge(network, data, split)
    alignment = measure_alignment(network, data, split)
    return {**figures(judged, network.config.labels), "alignment": alignment}


def _provenance(setup: FcattnCLI, name: str, note: str) -> Provenance:
    data = setup.datamodule
    corpora = _corpora(data)
    who = {split: tuple(sorted({u.speaker for u in data.splits[split]})) for split in data.splits}
    return Provenance(
        name=name,
        corpora=corpora,
        languages=tuple(dict.fromkeys(LANGUAGES.get(one, "und") for one in corpora)),
        licence=_licence(corpora),
        trained_on=who["train"],
        validated_on=who["validation"],
        tested_on=who["test"],
        recipe=f"recipes/{name.rpartition('-')[2]}/{setup.model.attention}.yaml",
        seed=setup.model.seed,
        versions=_versions(),
        note=note,
    )


def _corpora(data: EmotionDataModule) -> tuple[str, ...]:
    if isinstance(data, MultiCorpus):
        return tuple(NAMES[one] for one in data.corpora)
    return (data.corpus,)


def _licence(corpora: tuple[str, ...]) -> str:
    """The strictest licence of the corpora; of unknown ones, none is claimed."""
    found = {LICENCES.get(one, "other") for one in corpora}
    for licence in ("other", "cc-by-nc-sa-4.0"):
        if licence in found:
            return licence
    return found.pop()


def _versions() -> dict[str, str]:
    import fcattn

    asked = subprocess.run(
        ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    commit = {"commit": asked.stdout.strip()} if asked.returncode == 0 else {}
    return {"fcattn": fcattn.__version__, "torch": torch.__version__, **commit}
