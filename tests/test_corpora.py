"""Corpus folders become utterances, or one clear error; layouts are written by the tests."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from conftest import noise
from fcattn.data import (
    IEMOCAP,
    NEMO,
    RAVDESS,
    EmoDB,
    MultiCorpus,
    Synthetic,
    emodb,
    iemocap,
    nemo,
    ravdess,
)
from fcattn.errors import CorpusError

RATE = 16_000


def sound(path: Path, seconds: float = 0.2) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, noise(int(seconds * RATE)), RATE)


@pytest.fixture
def ravdess_root(tmp_path: Path) -> Path:
    root = tmp_path / "RAVDESS"
    for actor in ("01", "02", "03"):
        for emotion in range(1, 9):
            sound(root / f"Actor_{actor}" / f"03-01-0{emotion}-01-01-01-{actor}.wav")
    (root / "Actor_01" / "._03-01-01-01-01-01-01.wav").write_bytes(b"hidden")
    sound(root / "Actor_01" / "03-02-05-01-01-01-01.wav")  # sung
    return root


def test_ravdess_names_say_emotion_actor_and_gender(ravdess_root: Path) -> None:
    found = {one.id: one for one in ravdess.read(ravdess_root)}
    assert len(found) == 24
    one = found["03-01-05-01-01-01-02"]
    assert (one.label, one.speaker, one.gender) == ("angry", "02", "female")
    labels = [found[f"03-01-0{number}-01-01-01-01"].label for number in range(1, 9)]
    assert labels == [
        "neutral",
        "calm",
        "happy",
        "sad",
        "angry",
        "fearful",
        "disgusted",
        "surprised",
    ]


def test_a_root_one_level_off_is_found(ravdess_root: Path) -> None:
    expected = ravdess.read(ravdess_root)
    assert ravdess.read(ravdess_root.parent) == expected
    assert ravdess.read(ravdess_root / "Actor_01") == expected


@pytest.mark.parametrize("read", [ravdess.read, emodb.read, nemo.read, iemocap.read])
def test_a_wrong_root_says_what_was_expected_and_found(read: object, tmp_path: Path) -> None:
    (tmp_path / "deep" / "music").mkdir(parents=True)
    with pytest.raises(CorpusError, match=r"expected .* found music"):
        read(tmp_path / "deep")
    with pytest.raises(CorpusError, match="is not a folder"):
        read(tmp_path / "nowhere")


def test_a_strange_file_is_named(ravdess_root: Path) -> None:
    sound(ravdess_root / "Actor_01" / "song.wav")
    with pytest.raises(CorpusError, match=r"song\.wav is not named like"):
        ravdess.read(ravdess_root)


def test_wav_and_flac_of_one_recording_are_an_error(ravdess_root: Path) -> None:
    sound(ravdess_root / "Actor_01" / "03-01-05-01-01-01-01.flac")
    with pytest.raises(CorpusError, match="same recording"):
        ravdess.read(ravdess_root)


def test_emodb_letters_are_emotions(tmp_path: Path) -> None:
    for letter in "WLEAFTN":
        sound(tmp_path / "wav" / f"03a01{letter}a.wav")
    sound(tmp_path / "wav" / "16b10Wb.wav")
    found = {one.id: one for one in emodb.read(tmp_path)}
    labels = [found[f"03a01{letter}a"].label for letter in "WLEAFTN"]
    assert labels == ["angry", "bored", "disgusted", "fearful", "happy", "sad", "neutral"]
    assert (found["16b10Wb"].speaker, found["16b10Wb"].gender) == ("16", "female")


@pytest.fixture
def nemo_root(tmp_path: Path) -> Path:
    lines = ["file_id\temotion\traw_text\tspeaker_id\tgender\tage"]
    for stem, emotion in (("EB0_anger_1", "anger"), ("KS0_sadness_2", "sadness")):
        sound(tmp_path / "samples" / f"{stem}.flac")
        speaker = stem[:3]
        lines.append(f"{stem}.wav\t{emotion}\tTekst\t     {speaker}\tmale\t30")
    (tmp_path / "data.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def test_nemo_matches_by_stem(nemo_root: Path) -> None:
    found = nemo.read(nemo_root)
    assert [(one.id, one.label, one.speaker) for one in found] == [
        ("EB0_anger_1", "angry", "EB0"),
        ("KS0_sadness_2", "sad", "KS0"),
    ]
    assert found[0].path.name == "EB0_anger_1.flac"


def test_nemo_drops_nothing_silently(nemo_root: Path) -> None:
    sound(nemo_root / "samples" / "XX0_anger_9.flac")
    with pytest.raises(CorpusError, match="XX0_anger_9"):
        nemo.read(nemo_root)
    (nemo_root / "samples" / "XX0_anger_9.flac").unlink()
    (nemo_root / "samples" / "EB0_anger_1.flac").unlink()
    with pytest.raises(CorpusError, match="EB0_anger_1"):
        nemo.read(nemo_root)


IEMOCAP_TURNS = {
    "Ses01F_impro01": "F000 neu;M000 xxx;F001 exc",
    "Ses01M_script01_1": "F000 hap;M000 fru",
    "Ses03M_impro05a": "F012 ang;M003 sad",
    "Ses05M_script01_1b": "F005 ang;M021 sad",
}


@pytest.fixture
def iemocap_root(tmp_path: Path) -> Path:
    root = tmp_path / "IEMOCAP_full_release"
    for dialogue, turns in IEMOCAP_TURNS.items():
        session = root / f"Session{dialogue[4]}"
        lines = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""]
        for number, turn in enumerate(turns.split(";")):
            name, code = turn.split()
            span = f"[{number}.2901 - {number + 1}.2357]"
            lines.append(f"{span}\t{dialogue}_{name}\t{code}\t[2.5000, 3.5000, 4.5000]")
            lines += ["C-E2:\tNeutral;\t()", "A-E3:\tval 3; act 2; dom  2;\t()", ""]
            sound(session / "sentences" / "wav" / dialogue / f"{dialogue}_{name}.wav")
        labels = session / "dialog" / "EmoEvaluation"
        labels.mkdir(parents=True, exist_ok=True)
        (labels / f"{dialogue}.txt").write_text("\r\n".join(lines))
        (labels / f"._{dialogue}.txt").write_bytes(b"\x00\x05\x16\x07")
        (labels / ".DS_Store").write_bytes(b"\x00")
    return root


def test_iemocap_talker_is_the_letter_of_the_turn_not_of_the_file(iemocap_root: Path) -> None:
    talkers = {turn.id: turn.speaker for turn in iemocap.read(iemocap_root)}
    assert talkers["Ses01F_impro01_M000"] == "1M"
    assert talkers["Ses03M_impro05a_F012"] == "3F"
    assert talkers["Ses05M_script01_1b_F005"] == "5F"
    assert len(talkers) == 9


def test_iemocap_keeps_dialogue_times_and_ratings(iemocap_root: Path) -> None:
    turn = {one.id: one for one in iemocap.read(iemocap_root)}["Ses05M_script01_1b_M021"]
    assert (turn.label, turn.session, turn.gender) == ("sad", "5", "male")
    assert (turn.dialogue, turn.improvised) == ("Ses05M_script01_1b", False)
    assert (turn.start_s, turn.end_s) == (1.2901, 2.2357)
    assert (turn.valence, turn.activation, turn.dominance) == (2.5, 3.5, 4.5)
    assert turn.path.is_file()


def test_iemocap_is_read_from_any_level(iemocap_root: Path) -> None:
    expected = iemocap.read(iemocap_root)
    assert iemocap.read(iemocap_root.parent) == expected
    assert iemocap.read(iemocap_root / "Session1") == expected


def test_iemocap_merges_excited_into_happy_unless_told_otherwise(iemocap_root: Path) -> None:
    root = str(iemocap_root)
    assert Counter(one.label for one in IEMOCAP(root).utterances()) == {
        "happy": 2, "neutral": 1, "angry": 2, "sad": 2,
    }  # fmt: skip
    assert Counter(one.label for one in IEMOCAP(root, merge={}).utterances())["happy"] == 1
    asked = IEMOCAP(root, labels=["frustrated", "undecided"]).utterances()
    assert sorted(one.label for one in asked) == ["frustrated", "undecided"]


def test_iemocap_takes_improvised_or_scripted_dialogues(iemocap_root: Path) -> None:
    counts = {
        kind: len(IEMOCAP(str(iemocap_root), dialogues=kind).read())
        for kind in ("all", "improvised", "scripted")
    }
    assert counts == {"all": 9, "improvised": 5, "scripted": 4}


def test_an_iemocap_label_file_cut_in_a_line_is_an_error(iemocap_root: Path) -> None:
    path = iemocap_root / "Session3" / "dialog" / "EmoEvaluation" / "Ses03M_impro05a.txt"
    text = path.read_bytes()
    path.write_bytes(text[: text.index(b"Ses03M_impro05a_M003") + 12])
    with pytest.raises(CorpusError, match=r"Ses03M_impro05a\.txt, line \d+.*cut off"):
        iemocap.read(iemocap_root)


def test_several_corpora_keep_their_speakers_apart(ravdess_root: Path, tmp_path: Path) -> None:
    sound(tmp_path / "emodb" / "wav" / "03a01Wa.wav")
    corpora = {"ravdess": "RAVDESS", "emodb": "emodb"}
    data = MultiCorpus(str(tmp_path), corpora, merge={"calm": "neutral"})
    found = data.utterances()
    assert {one.speaker for one in found} == {"ravdess-01", "ravdess-02", "ravdess-03", "emodb-03"}
    neutral = [one for one in found if one.speaker == "ravdess-01" and one.label == "neutral"]
    assert len(neutral) == 2
    with pytest.raises(CorpusError, match="crema"):
        MultiCorpus(str(tmp_path), {"crema": "crema"})


def test_a_class_without_a_training_clip_is_an_error(ravdess_root: Path) -> None:
    for path in ravdess_root.glob("Actor_0[23]/03-01-05*"):
        path.unlink()
    data = RAVDESS(str(ravdess_root), validation_speakers=["01"])
    data.prepare_data()
    with pytest.raises(CorpusError, match="no training clip of angry"):
        data.setup("fit")


def test_missing_and_broken_sound_files_are_named(iemocap_root: Path) -> None:
    paths = sorted(iemocap_root.glob("Session*/sentences/wav/*/*.wav"))
    paths[0].unlink()
    paths[1].write_bytes(b"RIFF")
    data = IEMOCAP(str(iemocap_root))
    with pytest.raises(CorpusError, match="2 of 7") as caught:
        data.prepare_data()
    assert f"{paths[0].name}: no such file" in str(caught.value)
    assert paths[1].name in str(caught.value)
    assert not list(data.cache_dir.glob("*[!k]"))  # nothing but the lock file


def test_testing_on_validation_speakers_says_so(tones: Path) -> None:
    data = Synthetic(str(tones), validation_speakers=["05"])
    data.prepare_data()
    data.setup("test")
    with pytest.warns(UserWarning, match="no test speakers"):
        loader = data.test_dataloader()
    assert loader.dataset.utterances == data.splits["validation"]


def test_labels_that_nobody_has_are_an_error(ravdess_root: Path) -> None:
    with pytest.raises(CorpusError, match="none of joyful; found: angry"):
        RAVDESS(str(ravdess_root), labels=["joyful"]).utterances()


def test_the_synthetic_corpus_is_made_on_the_fly(tmp_path: Path) -> None:
    data = Synthetic(str(tmp_path / "tones"), validation_speakers=["05"])
    data.prepare_data()
    data.setup("fit")
    assert {len(data.splits[split]) for split in ("train", "validation")} == {80, 16}
    quiet, loud = (
        np.mean([np.sqrt((data.cache.read(one) ** 2).mean()) for one in data.splits["train"]
                 if one.label == label])
        for label in ("angry", "sad")
    )  # fmt: skip
    assert loud > 5 * quiet


def test_the_corpora_at_hand_have_their_known_counts(shared_data: Path) -> None:
    counts = {
        RAVDESS: ("ravdess", 1200, 20, 8),
        EmoDB: ("emodb", 408, 8, 7),
        NEMO: ("nemo", 2159, 6, 4),
    }
    for module, (folder, utterances, speakers, labels) in counts.items():
        found = module(str(shared_data / folder)).utterances()
        assert len(found) == utterances
        assert len({one.speaker for one in found}) == speakers
        assert len({one.label for one in found}) == labels
