"""Many files: results are appended as they come, and what is done is not done again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from conftest import noise, untrained
from fcattn.cli import main


@pytest.fixture
def model_folder(tmp_path: Path) -> str:
    return str(untrained().save_pretrained(tmp_path / "small"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "clips"
    home.mkdir()
    for number in range(9):
        soundfile.write(home / f"{number}.wav", noise(4_000 + 400 * number, number), 16_000)
    return home


def results(path: Path) -> dict[str, dict[str, object]]:
    return {item["path"]: item for item in map(json.loads, path.read_text().splitlines())}


def test_bulk_results_are_those_of_predict(
    folder: Path, model_folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["predict", str(folder), "--model", model_folder]
    assert main([*words, "--format", "jsonl"]) == 0
    expected = capsys.readouterr().out
    assert main([*words, "--out", str(tmp_path / "out.jsonl")]) == 0
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert sorted(lines) == sorted(expected.splitlines())
    assert "9 of 9 files predicted" in capsys.readouterr().err


def test_bulk_work_goes_on_where_it_stopped(
    folder: Path, model_folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.jsonl"
    words = ["predict", str(folder), "--model", model_folder, "--out", str(out)]
    assert main(words) == 0
    whole, before = out.read_bytes(), results(out)
    lines = whole.splitlines(keepends=True)
    out.write_bytes(b"".join(lines[:4]) + lines[4][:20])  # stopped within a line

    from fcattn.classifier import EmotionClassifier

    asked: list[Path] = []
    predict_many = EmotionClassifier.predict_many

    def spy(model: EmotionClassifier, sources: list[Path], **settings: object) -> object:
        asked.extend(sources)
        return predict_many(model, sources, **settings)

    monkeypatch.setattr(EmotionClassifier, "predict_many", spy)
    assert main(words) == 0
    assert len(asked) == 5
    after = results(out)
    assert out.read_bytes().count(b"\n") == len(after) == 9
    for path, item in before.items():
        assert after[path]["scores"] == pytest.approx(item["scores"], abs=1e-5)


def test_two_processes_share_the_files(folder: Path, model_folder: str, tmp_path: Path) -> None:
    (folder / "broken.wav").write_text("no sound")
    out = tmp_path / "out.jsonl"
    command = ["predict", str(folder), "--model", model_folder, "--out", str(out), "--devices", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "fcattn", *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    found = results(out)
    assert set(found) == {str(path) for path in folder.iterdir()}
    assert [Path(path).name for path, item in found.items() if "error" in item] == ["broken.wav"]
    assert "9 of 10 files predicted" in done.stderr


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--devices", "2"], "--devices needs --out"),
        (["--out", "x.csv"], "ends with .jsonl"),
        (["--out", "{notes}"], "line 1: not a result of fcattn predict"),
    ],
)
def test_wrong_use_of_bulk_work_is_explained(
    folder: Path,
    model_folder: str,
    tmp_path: Path,
    more: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    notes = tmp_path / "notes.jsonl"
    notes.write_text("my notes\n")
    more = [word.format(notes=notes) for word in more]
    assert main(["predict", str(folder), "--model", model_folder, *more]) == 2
    assert said in capsys.readouterr().err
    assert notes.read_text() == "my notes\n"


def test_a_timeline_is_printed_in_every_format(
    folder: Path, model_folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write(folder / "0.wav", noise(16_000 * 3), 16_000)
    words = ["predict", str(folder / "0.wav"), "--model", model_folder, "--hop-s", "1"]
    said = {}
    for form in ("table", "csv", "jsonl"):
        assert main([*words, "--format", form]) == 0
        said[form] = capsys.readouterr().out
    moments = json.loads(said["jsonl"])["timeline"]
    assert [one["end_s"] for one in moments] == [1.0, 2.0, 3.0]
    rows = said["csv"].splitlines()
    assert rows[0].startswith("path,start_s,end_s,label")
    assert [row.split(",")[3] for row in rows[1:]] == [one["label"] for one in moments]
    assert said["table"].count(" s ") == 3
