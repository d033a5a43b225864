"""Whatever is called sound: the right waveform, or one error that says what to do."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from conftest import noise
from fcattn import audio
from fcattn.errors import AudioError

RATE = 16_000


def sine(rate: int, seconds: float = 1.0, hertz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * math.pi * hertz * np.arange(int(rate * seconds)) / rate)).astype("f4")


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one, other)[0, 1])


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 44_101, 48_000, 96_000])
def test_any_sample_rate_gives_the_same_sound(tmp_path: Path, rate: int) -> None:
    soundfile.write(tmp_path / "a.wav", sine(rate), rate, subtype="FLOAT")
    waveform = audio.load(tmp_path / "a.wav", RATE)
    assert abs(len(waveform) - RATE) <= 1
    middle = slice(1000, 15_000)
    assert correlation(waveform[middle], sine(RATE)[middle]) > 0.999


@pytest.mark.parametrize(
    ("ending", "subtype"),
    [
        ("wav", "PCM_U8"),
        ("wav", "PCM_16"),
        ("wav", "PCM_24"),
        ("wav", "PCM_32"),
        ("wav", "FLOAT"),
        ("wav", "DOUBLE"),
        ("wav", "ULAW"),
        ("flac", "PCM_16"),
        ("flac", "PCM_24"),
        ("ogg", "VORBIS"),
        ("mp3", "MPEG_LAYER_III"),
    ],
)
def test_any_sample_format_gives_the_same_sound(tmp_path: Path, ending: str, subtype: str) -> None:
    path = tmp_path / f"a.{ending}"
    soundfile.write(path, sine(RATE), RATE, subtype=subtype)
    waveform = audio.load(path, RATE)
    length = min(len(waveform), RATE)
    assert length > 0.9 * RATE
    assert correlation(waveform[1000:length], sine(RATE)[1000:length]) > 0.99


def test_six_channels_become_their_mean(tmp_path: Path) -> None:
    channels = np.stack([noise(8_000, seed) for seed in range(6)], axis=1)
    soundfile.write(tmp_path / "a.wav", channels, RATE, subtype="FLOAT")
    np.testing.assert_allclose(
        audio.load(tmp_path / "a.wav", RATE), channels.mean(axis=1), atol=1e-6
    )


def test_path_bytes_file_array_and_tensor_mean_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, sine(RATE), RATE, subtype="FLOAT")
    expected = audio.load(path, RATE)
    stored = path.read_bytes()
    sources = [str(path), stored, io.BytesIO(stored)]
    for source in sources:
        np.testing.assert_array_equal(audio.load(source, RATE), expected)
    samples = sine(RATE)
    whole = np.round(samples * 32_767).astype(np.int16)
    arrays = [samples, np.stack([samples, samples]), np.stack([samples, samples], axis=1), whole]
    for array in (*arrays, torch.from_numpy(samples)):
        np.testing.assert_allclose(audio.load(array, RATE, RATE), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("source", "rate", "words"),
    [
        (np.zeros(100, "f4"), None, "needs its rate"),
        (torch.zeros(100), None, "needs its rate"),
        (np.zeros(100, "f4"), 0, "above 0 Hz"),
        (np.zeros(0, "f4"), RATE, "no samples"),
        (np.array([0.0, np.nan], "f4"), RATE, "NaN or infinite"),
        (np.array([0.0, np.inf], "f4"), RATE, "NaN or infinite"),
        (np.array([0.0, 20_000.0], "f4"), RATE, "divide by full scale"),
        (np.zeros(100, np.int64), RATE, "int16"),
        (np.zeros((2, 2, 100), "f4"), RATE, "one or two dimensions"),
        (3.5, None, "expected a path"),
        (b"", None, "not a sound file"),
        (b"RIFF....WAVE", None, "not a sound file"),
    ],
)
def test_an_unusable_array_or_object_is_one_clear_error(
    source: object, rate: int | None, words: str
) -> None:
    with pytest.raises(AudioError, match=words):
        audio.load(source, RATE, rate)


def test_a_rate_beside_a_file_is_an_error(wav: Path) -> None:
    with pytest.raises(AudioError, match="leave out sample_rate_hz"):
        audio.load(wav, RATE, sample_rate_hz=8_000)


def test_missing_empty_and_false_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("this is no sound\n" * 100)
    cases = {"missing.wav": "no such file", "empty.wav": "an empty file", "text.wav": "not a sound"}
    for name, words in cases.items():
        with pytest.raises(AudioError, match=f"{name}.*{words}"):
            audio.load(tmp_path / name, RATE)
    with pytest.raises(AudioError, match="a folder"):
        audio.load(tmp_path, RATE)


@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_a_truncated_file_is_an_error(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    soundfile.write(path, noise(RATE), RATE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioError, match=r"a\.(wav|flac)"):
        audio.load(path, RATE)


def test_a_header_written_before_the_length_was_known_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "streamed.wav"
    soundfile.write(path, noise(RATE), RATE)
    stored = bytearray(path.read_bytes())
    place = stored.index(b"data") + 4
    stored[place : place + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(stored)
    assert len(audio.load(path, RATE)) == RATE


def test_a_file_without_samples_is_an_error(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(0, "f4"), RATE)
    with pytest.raises(AudioError, match="no samples"):
        audio.load(tmp_path / "a.wav", RATE)


def test_nan_in_a_float_file_is_an_error(tmp_path: Path) -> None:
    samples = noise(RATE)
    samples[5] = np.nan
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match="NaN"):
        audio.load(tmp_path / "a.wav", RATE)
