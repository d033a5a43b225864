"""A checkpoint folder: whole and exact, or one clear error."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import fcattn
from conftest import LABELS, untrained
from fcattn import checkpoint
from fcattn.config import ModelConfig
from fcattn.errors import CheckpointError, ConfigError, FcattnError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return untrained().save_pretrained(tmp_path / "model")


def edit_config(change: Callable[[dict], object]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        values = json.loads((folder / "config.json").read_text())
        change(values)
        (folder / "config.json").write_text(json.dumps(values))

    return edit


def edit_weights(change: Callable[[dict], object]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        weights = load_file(folder / "model.safetensors")
        change(weights)
        save_file(weights, folder / "model.safetensors")

    return edit


def test_a_saved_model_loads_with_bit_identical_scores(
    model: fcattn.EmotionClassifier, wav: Path, tmp_path: Path
) -> None:
    model.features.set_statistics(torch.randn(64), torch.rand(64) + 0.5)
    again = fcattn.from_pretrained(model.save_pretrained(tmp_path / "m"))
    assert again.config == model.config
    assert not again.training
    assert again.predict(wav) == model.predict(wav)


def test_a_folder_holds_four_files_and_no_pickle(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == sorted(checkpoint.FILES)


def test_saving_replaces_a_folder_and_leaves_nothing_beside_it(folder: Path) -> None:
    untrained("mhsa").save_pretrained(folder)
    assert fcattn.from_pretrained(folder).config.attention == "mhsa"
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        *[
            (lambda folder, name=name: (folder / name).unlink(), f"no {name}")
            for name in checkpoint.FILES
        ],
        (edit_weights(lambda w: w.pop("classify.bias")), "weights missing: classify.bias"),
        (edit_weights(lambda w: w.update(more=torch.zeros(1))), "not of this model: more"),
        (edit_weights(lambda w: w.update({"classify.bias": torch.zeros(9)})), "expected shape"),
        (
            edit_weights(lambda w: w.update({"classify.bias": torch.zeros(4).double()})),
            "expected torch.float32",
        ),
        (edit_weights(lambda w: w["classify.bias"].fill_(float("nan"))), "NaN"),
        (edit_config(lambda c: c.update(colour="red")), "unknown key 'colour'"),
        (edit_config(lambda c: c["network"].update(depth=2)), "unknown key network.'depth'"),
        (edit_config(lambda c: c["network"].update(width=64)), "expected shape"),
        (edit_config(lambda c: c["network"].update(width="64")), "network.width: expected int"),
        (edit_config(lambda c: c.update(format_version=99)), "format_version 1, got 99"),
        (edit_config(lambda c: c.pop("format_version")), "format_version 1, got None"),
        (edit_config(lambda c: c.pop("labels")), "labels"),
        (edit_config(lambda c: c.update(labels=["angry"])), "at least two"),
        (edit_config(lambda c: c.update(attention="none")), "attention: expected one of"),
        (lambda folder: (folder / "config.json").write_text("{"), "not JSON"),
        (lambda folder: (folder / "config.json").write_text("[]"), "expected an object"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\x80\x04K\x01."), "safetens"),
        (lambda folder: os.truncate(folder / "model.safetensors", 5_000), "not a whole safetens"),
    ],
)
def test_a_damaged_folder_is_one_clear_error(
    folder: Path, damage: Callable[[Path], object], words: str
) -> None:
    damage(folder)
    with pytest.raises(CheckpointError, match=words):
        fcattn.from_pretrained(folder)


def test_the_config_survives_json() -> None:
    config = ModelConfig(LABELS, "fa", segment_s=2.5, temperature=1.3)
    assert ModelConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"labels": ("a", "a")}, "occurs twice"),
        ({"labels": LABELS, "temperature": 0.0}, "temperature"),
        ({"labels": LABELS, "segment_s": -1.0}, "segment_s"),
    ],
)
def test_a_config_that_makes_no_model_is_an_error(settings: dict, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        ModelConfig(**settings)


def test_every_error_is_of_the_package() -> None:
    from fcattn import errors

    raised = [one for one in vars(errors).values() if isinstance(one, type)]
    assert all(issubclass(one, FcattnError | Warning) for one in raised)
