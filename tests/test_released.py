"""The released weights do on held-out speakers what their cards say."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

import fcattn
from fcattn import hub, zoo
from fcattn.cli.listing import markdown
from fcattn.cli.train import FcattnCLI
from fcattn.data import RAVDESS, MultiCorpus
from fcattn.data.module import EmotionDataModule
from fcattn.evaluation import figures, judge

RELEASED = [record.name for record in zoo.RECORDS if record.sha256]


def judged(name: str, data: EmotionDataModule) -> tuple[float, float]:
    """UA as measured now and as the card says."""
    data.prepare_data()
    data.setup("validate")
    model = fcattn.from_pretrained(name)
    found = figures(judge(model, data, "validation"))
    assert found["speakers"] == list(model.provenance.validated_on)
    return found["UA"]["value"], model.results["validation"]["UA"]["value"]


@pytest.mark.parametrize("name", RELEASED)
def test_released_weights_are_of_their_recipe(name: str, tmp_path: Path) -> None:
    model = fcattn.from_pretrained(name)
    recipe = Path(__file__).parents[1] / model.provenance.recipe
    setup = FcattnCLI(["--config", str(recipe), "--data.root", str(tmp_path)], run=False)
    assert replace(model.config, temperature=1.0) == setup.model.config
    assert model.provenance.seed == setup.model.seed
    assert set(model.provenance.validated_on) == set(setup.datamodule.validation_speakers)


@pytest.mark.parametrize("name", RELEASED)
def test_the_record_of_released_weights_is_theirs(name: str) -> None:
    record, model = zoo.find(name), fcattn.from_pretrained(name)
    weights = (hub.bundled() / name / "model.safetensors").read_bytes()
    assert record.sha256 == hashlib.sha256(weights).hexdigest()
    assert record.labels == model.config.labels
    assert record.corpora == model.provenance.corpora
    assert record.licence == model.provenance.licence


def test_the_table_of_the_readme_is_what_the_weights_say() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    assert markdown() in readme, "run: make readme"


@pytest.mark.parametrize("name", [name for name in RELEASED if name.endswith("-ravdess")])
def test_weights_of_ravdess_do_what_their_cards_say(name: str, shared_data: Path) -> None:
    data = RAVDESS(str(shared_data / "ravdess"), validation_speakers=["17", "18", "19", "20"])
    now, card = judged(name, data)
    assert now == pytest.approx(card, abs=0.005)


def test_fa_ca_ravdess_names_65_percent_of_unseen_actors() -> None:
    results = fcattn.from_pretrained("fa-ca-ravdess").results["validation"]
    assert results["UA"]["value"] >= 0.65


def test_fa_ca_open4_does_what_its_card_says(shared_data: Path) -> None:
    speakers = list(fcattn.from_pretrained("fa-ca-open4").provenance.validated_on)
    corpora = {name: name for name in ("ravdess", "emodb", "nemo")}
    data = MultiCorpus(
        str(shared_data), corpora, merge={"calm": "neutral"}, validation_speakers=speakers
    )
    now, card = judged("fa-ca-open4", data)
    assert now == pytest.approx(card, abs=0.005)
