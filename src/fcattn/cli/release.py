"""``fcattn release``: a training run becomes a checkpoint folder, measured again on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from fcattn import card, checkpoint
from fcattn.checkpoint import Checkpoint
from fcattn.cli.train import FcattnCLI
from fcattn.data import EmotionDataModule, MultiCorpus
from fcattn.data.module import Split
from fcattn.errors import CheckpointError, ConfigError
from fcattn.evaluation import CAUTION, calibrate, figures, judge, measure_alignment
from fcattn.model import EmotionNetwork
from fcattn.provenance import Provenance
from fcattn.run import CONFIG, best_network, versions

PARTS = ("seed_everything", "model", "data", "trainer", "averaging")
"""Of a run's config, what makes task, data and trainer; the rest is of one command."""

STANDIN = "IEMOCAP stand-in"
STANDIN_NOTE = (
    "Trained on a stand-in: other recordings in the layout of IEMOCAP, not IEMOCAP. These weights "
    "prove that the way works; they are not for use."
)
LANGUAGES = {"RAVDESS": "en", "EmoDB": "de", "nEMO": "pl", "IEMOCAP": "en", STANDIN: "en"}
LICENCES = {
    "RAVDESS": "cc-by-nc-sa-4.0",
    "nEMO": "cc-by-nc-sa-4.0",
    "EmoDB": "cc0-1.0",
    STANDIN: "cc-by-nc-sa-4.0",
}
NAMES = {
    "ravdess": "RAVDESS",
    "emodb": "EmoDB",
    "nemo": "nEMO",
    "iemocap": "IEMOCAP",
    "standin": STANDIN,
}


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
    data.prepare_data()
    data.setup("validate")
    _check_name(name, setup.model.attention, _corpora(data))
    network = best_network(folder)
    calibrate(network, data)
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
        fitting = [f"{kind}-{key}" for key, value in NAMES.items() if (value,) == corpora]
        raise ConfigError(
            f"--name {name}: the run was trained on {', '.join(corpora)}; "
            f"call it {' or '.join(fitting) or 'another name'}"
        )


def _open(folder: Path, root: str | None) -> FcattnCLI:
    config = folder / CONFIG
    if not config.is_file():
        raise CheckpointError(f"{folder}: no config.yaml; expected the folder of a fcattn fit")
    settings = yaml.safe_load(config.read_text(encoding="utf-8"))
    if root:
        settings["data"]["init_args"]["root"] = root
    return FcattnCLI({key: settings[key] for key in settings if key in PARTS}, run=False)


def _splits(data: EmotionDataModule) -> list[Split]:
    return ["validation", "test"] if data.splits["test"] else ["validation"]


def _measure(network: EmotionNetwork, data: EmotionDataModule, split: Split) -> dict[str, Any]:
    judged = judge(network, data, split)
    alignment = measure_alignment(network, data, split)
    return {**figures(judged), "alignment": alignment}


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
        recipe=f"recipes/{_folder_of_recipe(name, corpora)}/{setup.model.attention}.yaml",
        seed=setup.model.seed,
        versions=versions(),
        note=" ".join(filter(None, (STANDIN_NOTE if STANDIN in corpora else "", note))),
    )


def _folder_of_recipe(name: str, corpora: tuple[str, ...]) -> str:
    return "iemocap" if STANDIN in corpora else name.rpartition("-")[2]


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
