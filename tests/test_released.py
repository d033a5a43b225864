"""The released weights do on held-out speakers what their cards say."""

from __future__ import annotations

from pathlib import Path

import pytest

import fcattn
from conftest import needs_weights
from fcattn.data import RAVDESS, MultiCorpus
from fcattn.data.module import EmotionDataModule
from fcattn.evaluation import figures, judge


def judged(name: str, data: EmotionDataModule) -> tuple[float, float]:
    """UA as measured now and as the card says."""
    data.prepare_data()
    data.setup("validate")
    model = fcattn.from_pretrained(name)
    found = figures(judge(model, data, "validation"))
    assert found["speakers"] == list(model.provenance.validated_on)
    return found["UA"]["value"], model.results["validation"]["UA"]["value"]


@needs_weights
def test_fa_ca_ravdess_names_65_percent_of_unseen_actors(shared_data: Path) -> None:
    data = RAVDESS(str(shared_data / "ravdess"), validation_speakers=["17", "18", "19", "20"])
    now, card = judged("fa-ca-ravdess", data)
    assert now == pytest.approx(card, abs=0.005)
    assert now >= 0.65


@needs_weights
def test_fa_ca_open4_does_what_its_card_says(shared_data: Path) -> None:
    speakers = list(fcattn.from_pretrained("fa-ca-open4").provenance.validated_on)
    corpora = {name: name for name in ("ravdess", "emodb", "nemo")}
    data = MultiCorpus(
        str(shared_data), corpora, merge={"calm": "neutral"}, validation_speakers=speakers
    )
    now, card = judged("fa-ca-open4", data)
    assert now == pytest.approx(card, abs=0.005)
