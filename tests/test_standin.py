"""The stand-in for IEMOCAP, the check of a corpus folder, and the whole way on the two."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import pytest
import soundfile

import fcattn
from conftest import noise
from fcattn.cli import main
from fcattn.data import IEMOCAP, iemocap, known, standin
from fcattn.data.check import differences
from fcattn.errors import CorpusError

RECIPES = Path(__file__).parents[1] / "recipes" / "iemocap"
SMALL = [
    "--model.network.stem_channels=[4,4,8,8]",
    "--model.network.width=32",
    "--model.network.feedforward=32",
    "--trainer.accelerator=cpu",
    "--trainer.max_epochs=1",
    "--trainer.enable_progress_bar=false",
]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stand-in made of tones; tests that change it take a copy."""
    return standin.write(tmp_path_factory.mktemp("standin") / "IEMOCAP_standin")


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy"))


def test_the_standin_has_the_layout_of_iemocap(made: Path) -> None:
    turns = iemocap.read(made)
    assert {turn.speaker for turn in turns} == {
        f"{n}{letter}" for n in range(1, 6) for letter in "FM"
    }
    assert {turn.session for turn in turns} == set("12345")
    assert {"Ses03M_impro05a", "Ses05M_script01_1b"} <= {turn.dialogue for turn in turns}
    assert any(turn.speaker[1] != turn.dialogue[5] for turn in turns), "letter of another talker"
    assert {turn.improvised for turn in turns} == {True, False}
    assert {"frustrated", "undecided", "excited"} <= {turn.label for turn in turns}
    for turn in turns:
        info = soundfile.info(str(turn.path))
        assert (info.samplerate, info.channels, info.subtype) == (16_000, 1, "PCM_16")
        assert turn.end_s - turn.start_s == pytest.approx(info.duration, abs=1e-3)


def test_the_standin_says_that_it_is_one(made: Path) -> None:
    data = IEMOCAP(str(made))
    data.utterances()
    assert data.corpus == "IEMOCAP stand-in"
    assert "no sound, word or label of IEMOCAP" in str(iemocap.standin(made))


def test_a_standin_does_not_overwrite(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["make-standin", "iemocap", str(made)]) == 2
    assert "is there already" in capsys.readouterr().err


def test_a_standin_of_real_speech_keeps_actors_apart(shared_data: Path, tmp_path: Path) -> None:
    words = ["make-standin", "iemocap", str(tmp_path / "out")]
    assert main([*words, "--from", str(shared_data / "ravdess")]) == 0
    turns = iemocap.read(tmp_path / "out")
    assert len(turns) == 600
    assert {turn.gender for turn in turns if turn.speaker.endswith("F")} == {"female"}


def test_check_data_agrees_with_a_whole_folder(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check-data", "iemocap", str(made)]) == 0
    said = capsys.readouterr().out
    assert "all agrees" in said
    assert "This is not IEMOCAP" in said


def test_check_data_names_every_fault(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    turns = iemocap.read(copied)
    missing, broken, emptied = (turn.path for turn in turns[:3])
    missing.unlink()
    broken.write_text("no sound")
    soundfile.write(emptied, noise(0), 16_000)
    stray = broken.with_name("Ses01F_impro01_F999.wav")
    soundfile.write(stray, noise(1_600), 16_000)
    shutil.rmtree(copied / "Session4")
    assert main(["check-data", "iemocap", str(copied), "--all"]) == 1
    said = capsys.readouterr().out.replace("\n", "")
    assert f"{missing}: missing" in said
    assert f"{broken}: cannot be read" in said
    assert f"{emptied}: holds no samples" in said
    assert f"{stray}: a recording without a label" in said
    assert "session 4: expected 32 utterances, found none" in said
    assert "speaker 4F: expected 16 utterances, found none" in said


def test_check_data_of_a_wrong_folder_is_wrong_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check-data", "iemocap", str(tmp_path)]) == 2
    assert "expected Session[1-5]" in capsys.readouterr().err


def test_a_strange_speaker_is_named() -> None:
    found = {row: dict(counts) for row, counts in known.KNOWN["ravdess"].items()}
    assert differences(known.KNOWN["ravdess"], found) == []
    found["speaker 25"] = {"neutral": 1, "all": 1}
    assert differences(known.KNOWN["ravdess"], found) == ["speaker 25: not known in this corpus"]


def test_the_known_counts_add_up() -> None:
    table = known.KNOWN["iemocap"]
    for part in ("", ", improvised"):
        for name, total in table[f"all{part}"].items():
            assert total == sum(table[f"session {n}{part}"][name] for n in range(1, 6))
    for n in range(1, 6):
        row = table[f"session {n}"]
        assert row["all"] == sum(row[name] for name in ("neutral", "happy", "sad", "angry"))
        assert row["all"] == sum(table[f"speaker {n}{letter}"]["all"] for letter in "FM")
    for corpus in ("ravdess", "emodb"):
        rows = known.KNOWN[corpus]
        people = [counts["all"] for row, counts in rows.items() if row.startswith("speaker")]
        assert sum(people) == rows["all"]["all"]
    for rows in known.KNOWN.values():
        if "excited" not in rows["all"]:
            assert sum(rows["all"].values()) == 2 * rows["all"]["all"]


def test_one_session_is_no_cross_validation(copied: Path) -> None:
    for number in range(2, 6):
        shutil.rmtree(copied / f"Session{number}")
    data = IEMOCAP(str(copied), protocol="leave-one-session-out")
    with pytest.raises(CorpusError, match="needs 2 sessions, got 1"):
        data.setup("fit")


def test_a_labelled_turn_without_sound_is_named(copied: Path) -> None:
    turn = next(one for one in iemocap.read(copied) if one.label == "sad")
    turn.path.unlink()
    with pytest.raises(CorpusError, match=turn.id):
        IEMOCAP(str(copied), protocol="leave-one-session-out").prepare_data()


def test_the_whole_way_from_the_folder_to_a_prediction(
    made: Path, tmp_path: Path, wav: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = ["--config", str(RECIPES / "fa_ca.yaml"), f"--data.root={made}", *SMALL]
    assert main(["fit", *recipe]) == 0
    assert main(["test", *recipe]) == 0
    assert main(["crossval", *recipe]) == 0
    folds = sorted(path.name for path in Path("runs/iemocap-fa_ca-crossval").glob("fold-*"))
    assert folds == [f"fold-{n}_seed-1" for n in range(1, 6)]
    page = Path("runs/iemocap-fa_ca-crossval/results.md").read_text()
    assert "IEMOCAP stand-in, leave-one-session-out" in page

    assert main(["release", "runs/iemocap-fa_ca", "--name", "fa-ca-iemocap"]) == 2, "a false name"
    assert main(["release", "runs/iemocap-fa_ca", "--name", "fa-ca-standin"]) == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = fcattn.from_pretrained("fa-ca-standin")
    assert model.provenance.corpora == ("IEMOCAP stand-in",)
    assert "not IEMOCAP" in Path("checkpoints/fa-ca-standin/README.md").read_text()
    assert set(model.predict(wav).scores) == {"angry", "happy", "neutral", "sad"}


@pytest.mark.parametrize("recipe", ["mhsa", "fa", "fa_ca"])
def test_the_iemocap_recipes_name_their_protocol(recipe: str) -> None:
    assert "protocol: leave-one-session-out" in (RECIPES / f"{recipe}.yaml").read_text()
