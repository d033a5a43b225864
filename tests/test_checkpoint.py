"""A checkpoint folder: whole and exact, or one clear error."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import fcattn
from conftest import LABELS, untrained
from fcattn import checkpoint, remote, zoo
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


def edit_about(change: Callable[[dict], object]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        values = json.loads((folder / "metrics.json").read_text())
        change(values)
        (folder / "metrics.json").write_text(json.dumps(values))

    return edit


def edit_header(change: Callable[[dict], object]) -> Callable[[Path], None]:
    """Let the header of the weights say something else than what follows."""

    def edit(folder: Path) -> None:
        path = folder / "model.safetensors"
        whole = path.read_bytes()
        end = 8 + int.from_bytes(whole[:8], "little")
        header = json.loads(whole[8:end])
        change(header)
        text = json.dumps(header).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + whole[end:])

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
        (lambda folder: os.truncate(folder / "config.json", 10**9), "not JSON .1000000000 bytes"),
        (lambda folder: os.truncate(folder / "model.safetensors", 10**10), "expected at most"),
        (lambda folder: (folder / "metrics.json").write_text("[" * 100_000), "not JSON"),
        (edit_header(lambda h: h["classify.bias"].update(data_offsets=[0, 16])), "safetensors"),
        (edit_header(lambda h: h["classify.bias"].update(data_offsets=[0, 2**60])), "safetensors"),
        (edit_header(lambda h: h["classify.bias"].update(shape=[2**62])), "safetensors"),
        (edit_header(lambda h: h["classify.bias"].update(dtype="F8")), "safetensors"),
        (edit_config(lambda c: c["network"].update(width=10**9)), "at most 8192"),
        (edit_config(lambda c: c["network"].update(blocks=10**6)), "at most"),
        (edit_config(lambda c: c["features"].update(mel_bands=10**6 * 16)), "mel_bands"),
        (edit_config(lambda c: c["features"].update(window_ms=1e12)), "window_ms"),
        (edit_config(lambda c: c["features"].update(hop_ms=float("nan"))), "hop_ms"),
        (edit_about(lambda a: a["provenance"].pop("name")), "no name"),
        (edit_about(lambda a: a["provenance"].update(name=7)), "name"),
        (edit_about(lambda a: a.update(provenance=[])), "provenance"),
        (edit_about(lambda a: a.update(results=[])), "results"),
    ],
)
def test_a_damaged_folder_is_one_clear_error(
    folder: Path, damage: Callable[[Path], object], words: str
) -> None:
    damage(folder)
    with pytest.raises(CheckpointError, match=words):
        fcattn.from_pretrained(folder)


def test_a_refused_config_takes_no_memory(folder: Path) -> None:
    edit_config(lambda c: c["network"].update(width=8_192, feedforward=8_192, blocks=64))(folder)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CheckpointError, match="weights missing"):
        fcattn.from_pretrained(folder)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000, "kB"


def test_a_save_that_fails_leaves_the_old_folder_and_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(checkpoint, "save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        untrained("mhsa").save_pretrained(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["model"]
    assert fcattn.from_pretrained(folder).config.attention == "fa_ca"


def test_weights_of_the_zoo_with_another_sha256_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    [record] = [one for one in zoo.RECORDS if one.name == "fa-ca-iemocap"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(zoo, "RECORDS", (replace(record, sha256="0" * 64),))
    monkeypatch.setattr(remote, "pull", lambda *_: folder)
    with pytest.raises(CheckpointError, match=r"expected 0000.*damaged or changed"):
        fcattn.from_pretrained("fa-ca-iemocap")


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
