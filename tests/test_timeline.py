"""Long and live sound: what was heard when, in memory that does not grow."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from conftest import noise, untrained
from fcattn import audio
from fcattn.audio import Resampler
from fcattn.errors import AudioError
from fcattn.predict import LONG_S
from fcattn.timeline import Windows


def test_windows_are_the_last_seconds_at_every_hop() -> None:
    whole = np.arange(23, dtype=np.float32)
    for sizes in ([23], [1] * 23, [7, 0, 9, 7]):
        windows, found = Windows(size=6, hop=4), []
        for chunk in np.split(whole, np.cumsum(sizes)[:-1]):
            found += list(windows.push(chunk))
        found += list(windows.finish())
        assert [(one.start, one.end) for one in found] == [
            (0, 4), (2, 8), (6, 12), (10, 16), (14, 20), (17, 23),
        ]  # fmt: skip
        for one in found:
            np.testing.assert_array_equal(one.samples, whole[one.start : one.end])


def test_a_timeline_says_what_single_windows_say() -> None:
    model, clip = untrained(), noise(16_000 * 5 + 800)
    prediction = model.predict(clip, 16_000, hop_s=1.0, window_s=2.0)
    ends = [moment.end_s for moment in prediction.timeline]
    assert ends == [1.0, 2.0, 3.0, 4.0, 5.0, 5.05]
    for moment in prediction.timeline:
        part = clip[round(moment.start_s * 16_000) : round(moment.end_s * 16_000)]
        alone = model.predict(part, 16_000)
        assert moment.scores == pytest.approx(alone.scores, abs=2e-5)
        assert moment.label == next(iter(moment.scores))
    for name, score in prediction.scores.items():
        mean = np.mean([moment.scores[name] for moment in prediction.timeline])
        assert score == pytest.approx(mean)


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("chunk_s", [0.013, 0.5, 7.0])
def test_a_stream_says_what_the_timeline_of_the_file_says(
    tmp_path: Path, rate: int, chunk_s: float
) -> None:
    model, clip = untrained(), noise(rate * 5 + 333)
    soundfile.write(tmp_path / "clip.wav", clip, rate, subtype="FLOAT")
    expected = model.predict(tmp_path / "clip.wav", hop_s=1.0, window_s=2.0).timeline
    stream, found = model.stream(rate, window_s=2.0), []
    for start in range(0, len(clip), round(chunk_s * rate)):
        found += stream.push(clip[start : start + round(chunk_s * rate)])
    found += stream.finish()
    for one, other in zip(found, expected, strict=True):
        assert (one.start_s, one.end_s) == (other.start_s, other.end_s)
        assert one.scores == pytest.approx(other.scores, abs=1e-4)


def test_a_moment_comes_as_soon_as_its_hop_is_over() -> None:
    stream = untrained().stream(16_000)
    counts = [len(stream.push(noise(8_000))) for _ in range(6)]
    assert counts == [0, 1, 0, 1, 0, 1]


def test_a_stream_takes_channels_and_integers() -> None:
    stream = untrained().stream(16_000)
    assert len(stream.push(np.zeros((2, 16_000), np.int16))) == 1
    with pytest.raises(AudioError, match="the stream: holds NaN"):
        stream.push(np.full(100, np.nan, np.float32))


@pytest.mark.parametrize(("hop_s", "window_s"), [(0.0, 3.0), (-1.0, 3.0), (4.0, 3.0)])
def test_impossible_windows_are_an_error(hop_s: float, window_s: float) -> None:
    with pytest.raises(AudioError, match="0 < hop_s"):
        untrained().predict(noise(16_000), 16_000, hop_s=hop_s, window_s=window_s)
    with pytest.raises(AudioError, match="0 < hop_s"):
        untrained().stream(16_000, hop_s=hop_s, window_s=window_s)


def test_long_clips_are_heard_in_windows_and_short_ones_whole() -> None:
    model = untrained()
    short, long = noise(16_000 * 4), noise(round(16_000 * (LONG_S + 2)))
    found = dict(model.predict_many([short, long], 16_000))
    assert found[0].timeline == ()
    assert len(found[1].timeline) == LONG_S + 2


def test_an_hour_takes_the_memory_of_minutes(tmp_path: Path) -> None:
    """Of Python and numpy; what torch takes depends on the batch of windows alone."""
    peaks = []
    for minutes in (2, 8):
        path = tmp_path / f"{minutes}.wav"
        soundfile.write(path, np.tile(noise(16_000 * 60), minutes), 16_000)
        tracemalloc.start()
        windows = Windows(48_000, 16_000)
        for block in audio.blocks(path, 16_000):
            for _ in windows.push(block):
                pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]


def test_a_resampled_stream_is_the_resampled_whole() -> None:
    whole = noise(44_100)
    expected = audio.load(whole, 16_000, 44_100)
    resampler = Resampler(44_100, 16_000)
    parts = [resampler.push(part) for part in np.array_split(whole, 17)]
    np.testing.assert_allclose(np.concatenate([*parts, resampler.finish()]), expected, atol=1e-6)


def test_a_long_file_that_is_cut_off_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, np.tile(noise(16_000 * 10), 10), 16_000)
    path.write_bytes(path.read_bytes()[:-160_000])
    with pytest.raises(AudioError, match="cut off"):
        untrained().predict(path)


def test_a_long_clip_that_is_cut_off_does_not_stop_the_others(tmp_path: Path) -> None:
    path, clip = tmp_path / "long.wav", noise(16_000)
    soundfile.write(path, np.tile(clip, 100), 16_000)
    path.write_bytes(path.read_bytes()[:-160_000])
    soundfile.write(tmp_path / "short.wav", clip, 16_000)
    files = [path, tmp_path / "short.wav"]
    found = dict(untrained().predict_many(files))
    assert isinstance(found[0], AudioError)
    assert not isinstance(found[1], AudioError)
