"""The command line: what it prints, where it writes, how it exits."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

import fcattn
from conftest import LABELS, noise, untrained
from fcattn.cli import main
from fcattn.provenance import Provenance

CLIPS = Path(__file__).parent / "clips"
RECIPES = Path(__file__).parents[1] / "recipes"


@pytest.fixture
def model_folder(tmp_path: Path) -> str:
    return str(untrained().save_pretrained(tmp_path / "small"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A hundred clips, one of them broken, and a file that is no sound."""
    home = tmp_path / "clips"
    for number in range(99):
        path = home / f"{number % 3}" / f"{number:03}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, noise(1_600 + 40 * number, number), 16_000)
    (home / "broken.wav").write_text("no sound")
    (home / "notes.txt").write_text("not asked for")
    (home / "._hidden.wav").write_bytes(b"\x00")
    return home


def test_a_broken_file_leaves_ninety_nine_results_and_exit_code_1(
    folder: Path, model_folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["predict", str(folder), "--model", model_folder, "--format", "jsonl"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 1
    assert len(lines) == 100
    [failed] = [one for one in lines if "error" in one]
    assert failed["path"].endswith("broken.wav")
    assert "not a sound file" in failed["error"]
    for one in lines:
        if one is not failed:
            assert set(one) == {"path", "label", "scores"}
            assert set(one["scores"]) == set(LABELS)
            assert one["label"] == max(one["scores"], key=one["scores"].get)


def test_formats_say_the_same(
    wav: Path, model_folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = {}
    for form in ("csv", "json", "jsonl", "table"):
        assert main(["predict", str(wav), "--model", model_folder, "--format", form]) == 0
        said[form] = capsys.readouterr().out
    [row] = csv.DictReader(io.StringIO(said["csv"]))
    [item] = json.loads(said["json"])
    assert item == json.loads(said["jsonl"])
    assert row["label"] == item["label"]
    assert row["label"] in said["table"]
    for name in LABELS:
        assert float(row[name]) == pytest.approx(item["scores"][name], abs=1e-6)


def test_the_cli_says_what_python_says(
    wav: Path, model_folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["predict", str(wav), "--model", model_folder, "--format", "jsonl"])
    scores = json.loads(capsys.readouterr().out)["scores"]
    assert scores == fcattn.from_pretrained(model_folder).predict(wav).scores


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["predict"], "PATH"),
        (["dance"], "invalid choice"),
        (["predict", "a.wav", "--format", "xml"], "invalid choice"),
        (["predict", "a.wav", "--model", "nobody"], "UnknownModelError"),
        (["release", "nowhere", "--name", "fa-ca-x"], "no config.yaml"),
        (["fit", "--config", "nowhere.yaml"], "nowhere.yaml"),
        (["test", "--config", str(RECIPES / "synthetic/fa.yaml")], "root"),
    ],
)
def test_wrong_use_exits_with_2_and_says_why(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(words)
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_a_device_that_is_not_there_is_wrong_use(
    wav: Path, model_folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(wav), "--model", model_folder, "--device", "toaster"]) == 2
    assert "device 'toaster' cannot be used" in capsys.readouterr().err


def test_a_folder_without_sound_is_wrong_use(
    tmp_path: Path, model_folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none").mkdir()
    assert main(["predict", str(tmp_path / "none"), "--model", model_folder]) == 2
    assert "without sound files" in capsys.readouterr().err


def test_a_misspelt_key_in_a_recipe_is_named(
    tmp_path: Path, tones: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (RECIPES / "synthetic" / "fa_ca.yaml").read_text()
    (tmp_path / "bad.yaml").write_text(text.replace("test_speakers", "test_speekers"))
    code = main(["fit", "--config", str(tmp_path / "bad.yaml"), "--data.root", str(tones)])
    assert code == 2
    error = capsys.readouterr().err
    assert "ConfigError" in error
    assert "test_speekers" in error


def fit(tones: Path, run: Path, *more: str, recipe: str = "fa_ca") -> int:
    config = str(RECIPES / "synthetic" / f"{recipe}.yaml")
    return main(
        [
            "fit",
            "--config",
            config,
            "--data.root",
            str(tones),
            "--trainer.default_root_dir",
            str(run),
            "--trainer.accelerator",
            "cpu",
            "--trainer.max_epochs",
            "2",
            "--trainer.enable_progress_bar",
            "false",
            *more,
        ]
    )


def test_a_run_that_was_moved_still_knows_its_best_epoch(tones: Path, tmp_path: Path) -> None:
    run, moved = tmp_path / "run", tmp_path / "moved"
    assert fit(tones, run) == 0
    last = run / "checkpoints" / "last.ckpt"
    state = torch.load(last, weights_only=True)
    [memory] = [one for one in state["callbacks"].values() if "best_model_score" in one]
    memory["best_model_score"] = memory["kth_value"] = torch.tensor(2.0)  # no epoch is better
    memory["best_k_models"] = {path: torch.tensor(2.0) for path in memory["best_k_models"]}
    torch.save(state, last)
    best = (run / "checkpoints" / "best.ckpt").read_bytes()
    run.rename(moved)
    assert fit(tones, moved, "--ckpt_path", "last", "--trainer.max_epochs", "3") == 0
    assert (moved / "checkpoints" / "best.ckpt").read_bytes() == best


def test_from_recipe_to_prediction(
    tones: Path, tmp_path: Path, wav: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """fit, test, release, predict; the numbers that test prints are those of the card."""
    run = tmp_path / "run"
    assert fit(tones, run) == 0
    assert sorted(path.name for path in run.iterdir()) == [
        "checkpoints", "config.yaml", "metrics.csv",
    ]  # fmt: skip
    assert fit(tones, run) == 2, "a run is not written over"
    assert "--ckpt_path last" in capsys.readouterr().err
    config = ["--config", str(RECIPES / "synthetic" / "fa_ca.yaml"), "--data.root", str(tones)]
    place = ["--trainer.default_root_dir", str(run), "--trainer.accelerator", "cpu"]
    assert main(["test", *config, *place]) == 0
    printed = capsys.readouterr().out
    out = ["--out", str(tmp_path / "zoo"), "--note", "Tones, not people."]
    assert main(["release", str(run), "--name", "fa-ca-synthetic", *out]) == 0
    released = tmp_path / "zoo" / "fa-ca-synthetic"
    model = fcattn.from_pretrained(released)
    assert str(model.results["test"]["UA"]["value"])[:6] in printed
    assert model.provenance.trained_on == ("01", "02", "03", "04")
    assert model.provenance.tested_on == ("06",)
    assert "Tones, not people." in (released / "README.md").read_text()
    assert model.results["test"]["alignment"]["focus_hit"] is not None
    assert main(["validate", *config, "--ckpt_path", str(released)]) == 0
    assert main(["predict", str(wav), "--model", str(released)]) == 0


def test_a_name_that_would_mislead_is_refused(
    tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit(tones, tmp_path / "run", "--trainer.max_epochs", "1", recipe="mhsa")
    for name, said in (("fa-ca-synthetic", "mhsa-CORPUS"), ("mhsa-iemocap", "trained on synth")):
        assert main(["release", str(tmp_path / "run"), "--name", name]) == 2
        assert said in capsys.readouterr().err


def test_measuring_without_trained_weights_is_an_error(
    tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ["--config", str(RECIPES / "synthetic" / "fa.yaml"), "--data.root", str(tones)]
    place = ["--trainer.default_root_dir", str(tmp_path / "none")]
    assert main(["test", *config, *place]) == 2
    assert "no trained weights" in capsys.readouterr().err
    assert main(["test", *config, *place, "--ckpt_path", "nobody"]) == 2
    assert "no such file" in capsys.readouterr().err


def test_weights_of_another_network_are_refused(
    tones: Path, model_folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ["--config", str(RECIPES / "synthetic" / "fa.yaml"), "--data.root", str(tones)]
    assert main(["test", *config, "--ckpt_path", model_folder]) == 2
    assert "those of the recipe" in capsys.readouterr().err


@pytest.mark.parametrize("recipe", sorted(RECIPES.glob("*/*.yaml")), ids=lambda p: p.parent.name)
def test_every_recipe_composes(recipe: Path, tmp_path: Path) -> None:
    from fcattn.cli.train import FcattnCLI

    setup = FcattnCLI(["--config", str(recipe), "--data.root", str(tmp_path)], run=False)
    assert setup.model.attention == recipe.stem
    assert setup.model.config.labels == setup.datamodule.labels
    assert setup.trainer.default_root_dir.endswith(f"runs/{recipe.parent.name}-{recipe.stem}")
    assert setup.model.seed == setup.datamodule.seed == 1


def test_list_says_what_stands_in_for_iemocap(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["list", "*iemocap"]) == 0
    said = capsys.readouterr().out
    assert "substitute: fa-ca-open4, not trained on IEMOCAP" in said
    assert main(["list", "nothing*"]) == 1


def test_iemocap_on_the_command_line_says_so_and_strict_refuses(
    wav: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["predict", str(wav), "--model", "fa-ca-iemocap"]
    assert main(words) == 0
    assert capsys.readouterr().err.count("not on IEMOCAP") == 1
    assert main([*words, "--strict"]) == 2


def test_the_demo_clips_get_an_emotion_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(CLIPS), "--model", "fa-ca-ravdess", "--format", "jsonl"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(list(CLIPS.glob("*.flac"))) >= 3


def test_paths_with_brackets_are_printed_as_they_are(
    wav: Path,
    tmp_path: Path,
    model_folder: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(wav, "[bold]a.wav")
    assert main(["predict", "[bold]a.wav", "--model", model_folder]) == 0
    assert "[bold]a.wav" in capsys.readouterr().out


def test_python_m_fcattn_is_the_same(model_folder: str, wav: Path) -> None:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "fcattn", "predict", str(wav), "--model", model_folder],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert any(label in done.stdout for label in LABELS)


def test_provenance_of_untrained_weights_is_plain() -> None:
    assert untrained().provenance == Provenance("untrained")
    assert np.isfinite(untrained().config.temperature)
