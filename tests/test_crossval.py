"""Cross-validation: all folds, safe to stop, and figures that can stand in a paper."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fcattn import comparison, judged
from fcattn.cli import main
from fcattn.errors import FcattnError
from fcattn.judged import Judged
from fcattn.metrics import confusion_matrix, unweighted_accuracy

RECIPE = """
seed_everything: 1
model:
  class_path: fcattn.training.FocusCalibrationMHSA
  init_args:
    network: {stem_channels: [4, 4, 8, 8], width: 32, blocks: 1, feedforward: 32}
data:
  class_path: fcattn.data.Synthetic
  init_args:
    protocol: grouped
    groups: 3
trainer:
  max_epochs: 2
  accelerator: cpu
  enable_progress_bar: false
"""
FILES = ("results.json", "predictions.csv")


@pytest.fixture
def words(tones: Path, tmp_path: Path) -> list[str]:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE)
    return ["crossval", "--config", str(recipe), "--data.root", str(tones)]


class Killed(BaseException):
    """What no handler catches, as a kill."""


def test_a_killed_crossval_started_again_ends_as_an_unbroken_one(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert main([*words, "--out", str(whole)]) == 0

    def die(task: Any) -> None:
        if task.trainer.default_root_dir.endswith("fold-2_seed-1") and task.current_epoch == 1:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("fcattn.training.EmotionTask.on_train_epoch_start", die, raising=False)
        with pytest.raises(Killed):
            main([*words, "--out", str(broken)])
    first = broken / "fold-1_seed-1" / "checkpoints" / "last.ckpt"
    written = first.stat().st_mtime_ns
    assert (broken / "fold-2_seed-1" / "checkpoints" / "last.ckpt").is_file()
    assert not (broken / "fold-2_seed-1" / "fold.json").exists()

    assert main([*words, "--out", str(broken)]) == 0
    assert first.stat().st_mtime_ns == written, "a finished fold was trained again"
    for name in FILES:
        assert (broken / name).read_bytes() == (whole / name).read_bytes()
    assert (broken / "fold-2_seed-1" / "metrics-1.csv").is_file(), "the curve before the kill"


def test_results_are_what_the_predictions_say(words: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main([*words, "--out", str(out), "--seeds", "0,1", "--trainer.max_epochs", "1"]) == 0
    table = judged.read(out / "predictions.csv")
    found = json.loads((out / "results.json").read_text())
    assert len(table.truth) == 2 * 96
    assert (found["folds"], found["seeds"]) == ([1, 2, 3], [0, 1])
    confusion = confusion_matrix(table.truth, table.predicted, 4)
    assert found["pooled"]["confusion"] == confusion.tolist()
    assert found["pooled"]["UA"]["value"] == pytest.approx(unweighted_accuracy(confusion))
    assert found["pooled"]["UA"]["low"] <= found["pooled"]["UA"]["value"]
    each = [one["UA"] for one in found["each"]]
    assert found["mean_over_folds"]["UA"]["mean"] == pytest.approx(np.mean(each))
    assert found["protocol"] == "grouped"
    assert {"correlation", "peak_hit", "focus_hit"} == set(found["alignment"])
    for one in found["each"]:
        people = [name for part in one["speakers"].values() for name in part]
        assert len(people) == len(set(people)) == 6
    page = (out / "results.md").read_text()
    assert f"{100 * found['pooled']['UA']['value']:.1f} %" in page
    assert "grouped" in page


def test_some_folds_can_be_chosen_and_the_rest_done_later(words: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    quick = [*words, "--out", str(out), "--trainer.max_epochs", "1"]
    assert main([*quick, "--folds", "3"]) == 0
    assert json.loads((out / "results.json").read_text())["folds"] == [3]
    assert main([*quick, "--folds", "1,3"]) == 0
    assert json.loads((out / "results.json").read_text())["folds"] == [1, 3]


def test_other_settings_do_not_mix_with_a_finished_crossval(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = [*words, "--out", str(tmp_path / "out"), "--folds", "1"]
    assert main([*quick, "--trainer.max_epochs", "1"]) == 0
    assert main([*quick, "--trainer.max_epochs", "3"]) == 2
    assert "max_epochs = 1, not 3" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--folds", "4"], "expected numbers from 1 to 3"),
        (["--folds", "one"], "expected numbers from 1 to 3"),
        (["--seeds", "-1"], "--seeds"),
        (["--trainer.max_epochz", "3"], "max_epochz"),
    ],
)
def test_wrong_use_of_crossval_is_explained(
    words: list[str], more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main([*words, *more])
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    assert said in capsys.readouterr().err


def table(right: list[float], seed: int, speakers: int = 8, each: int = 40) -> Judged:
    """Judged of two classes, right with a chance that depends on the speaker."""
    dice = np.random.default_rng(seed)
    count = speakers * each
    talkers = np.repeat([f"s{number}" for number in range(speakers)], each)
    truth = np.tile([0, 1], count // 2)
    correct = dice.random(count) < np.repeat(right, each)
    scores = np.full((count, 2), 0.2)
    scores[np.arange(count), np.where(correct, truth, 1 - truth)] = 0.8
    ids = np.array([f"u{number:04}" for number in range(count)])
    folds = np.ones(count, dtype=int)
    return Judged(("angry", "sad"), ids, talkers, folds, folds, truth, scores)


def test_a_real_difference_is_found_and_none_is_not() -> None:
    weak, strong = table([0.6] * 8, 0), table([0.8] * 8, 1)
    found = comparison.pair(weak, strong)
    assert found.difference.value == pytest.approx(found.second - found.first)
    assert found.difference.low > 0
    assert found.p < 0.001
    same = comparison.pair(weak, table([0.6] * 8, 2))
    assert same.difference.low < 0 < same.difference.high
    assert same.p > 0.05


def test_the_p_value_of_equal_models_is_uniform() -> None:
    found = [
        comparison.pair(table([0.6] * 8, 2 * n, each=10), table([0.6] * 8, 2 * n + 1, each=10)).p
        for n in range(60)
    ]
    assert 0.3 < np.mean(found) < 0.75
    assert np.mean(np.array(found) < 0.1) < 0.25


def test_seeds_of_an_utterance_count_as_one_in_the_p_value() -> None:
    one, other = table([0.6] * 8, 0, each=10), table([0.7] * 8, 1, each=10)

    def copies(part: Judged) -> Judged:
        return judged.join([part._replace(seeds=part.seeds * n) for n in range(4)])

    assert comparison.pair(copies(one), copies(other)).p == pytest.approx(
        comparison.pair(one, other).p, abs=0.03
    )


def test_compare_pairs_by_utterance_whatever_the_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = table([0.7] * 8, 0)
    for name, rows in (("a", slice(None)), ("b", slice(None, None, -1))):
        (tmp_path / name).mkdir()
        judged.write(tmp_path / name / "predictions.csv", one.rows(rows))
    words = ["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--format", "json"]
    assert main(words) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["difference"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert said["p"] == 1.0


def test_compare_refuses_other_utterances(tmp_path: Path) -> None:
    one = table([0.7] * 8, 0)
    judged.write(tmp_path / "a.csv", one)
    judged.write(tmp_path / "b.csv", one.rows(np.arange(10, 320)))
    with pytest.raises(FcattnError, match=r"10 predictions only in .*u0000"):
        comparison.compare(tmp_path / "a.csv", tmp_path / "b.csv")


def test_predictions_survive_the_file(tmp_path: Path) -> None:
    one = table([0.7] * 8, 0)
    judged.write(tmp_path / "a.csv", one)
    again = judged.read(tmp_path / "a.csv")
    assert again.labels == one.labels
    for before, after in zip(one[1:], again[1:], strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_table_that_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,age\nx,3\n")
    with pytest.raises(FcattnError, match="expected the columns utterance, talker"):
        judged.read(tmp_path / "a.csv")
    with pytest.raises(FcattnError, match="no table of predictions"):
        judged.read(tmp_path / "b.csv")


def test_the_confusion_picture_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from fcattn.plot import confusion_picture

    confusion_picture(tmp_path / "c.png", ("angry", "sad"), [[3, 1], [0, 0]], "a title")
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
