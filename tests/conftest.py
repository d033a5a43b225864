"""Small models and small corpora that every test can use."""

from __future__ import annotations

import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # before huggingface_hub is imported: tests use no network

import numpy as np
import pytest
import soundfile
import torch

from fcattn import EmotionClassifier
from fcattn.config import ModelConfig, NetworkConfig
from fcattn.data import synthetic

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
SMALL = NetworkConfig(
    stem_channels=(4, 4, 8, 8), width=32, heads=4, blocks=2, feedforward=32, dropout=0.1
)
LABELS = ("angry", "happy", "neutral", "sad")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(params=["mhsa", "fa", "fa_ca"])
def attention(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def model(attention: str) -> EmotionClassifier:
    return untrained(attention)


def untrained(attention: str = "fa_ca", **settings: object) -> EmotionClassifier:
    """A small model with focus and head weights that differ, as after training."""
    config = ModelConfig(labels=LABELS, attention=attention, network=SMALL, **settings)
    network = EmotionClassifier(config).eval()
    for name, weight in network.named_parameters():
        if "to_centre_and_width" in name or "weigh." in name:
            torch.nn.init.normal_(weight)
    return network


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    """A second and a bit of a tone."""
    path = tmp_path / "tone.wav"
    soundfile.write(path, synthetic.tone(1, 4, seed=3), synthetic.RATE_HZ)
    return path


@pytest.fixture(scope="session")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The synthetic corpus."""
    root = tmp_path_factory.mktemp("tones")
    synthetic.write(root)
    return root


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FCATTN_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real corpora, where they lie beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the corpora at {SHARED}")
    return SHARED


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)
