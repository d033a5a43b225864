"""What the face of the package promises: one clip, many clips, segments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from conftest import LABELS, noise, untrained
from fcattn import EmotionClassifier, Prediction, predict
from fcattn.errors import AudioError
from fcattn.scores import batch_scores

RATE = 16_000


def test_a_prediction_has_label_scores_and_confidence(model: EmotionClassifier, wav: Path) -> None:
    prediction = model.predict(str(wav))
    assert isinstance(prediction, Prediction)
    assert set(prediction.scores) == set(LABELS)
    assert sum(prediction.scores.values()) == pytest.approx(1, abs=1e-5)
    assert prediction.confidence == max(prediction.scores.values())
    assert prediction.scores[prediction.label] == prediction.confidence
    assert list(prediction.scores.values()) == sorted(prediction.scores.values(), reverse=True)


def test_scores_carry_the_names_of_the_logits(wav: Path) -> None:
    model = untrained()
    with torch.no_grad():
        model.classify.bias.copy_(torch.tensor([0.0, 0.0, 50.0, 0.0]))
    assert model.predict(wav).label == model.config.labels[2] == "neutral"


def test_a_list_gives_the_list_of_single_predictions(model: EmotionClassifier) -> None:
    clips = [noise(length, seed) for seed, length in enumerate([160, 30_000, 4_000, 90_000, 5_000])]
    together = model.predict(clips, sample_rate_hz=RATE)
    for clip, prediction in zip(clips, together, strict=True):
        alone = model.predict(clip, sample_rate_hz=RATE)
        assert prediction.label == alone.label
        for name in LABELS:
            assert prediction.scores[name] == pytest.approx(alone.scores[name], abs=2e-5)


def test_an_empty_list_gives_an_empty_list(model: EmotionClassifier) -> None:
    assert model.predict([]) == []


def test_a_broken_clip_in_a_list_is_an_error_with_its_name(wav: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_text("no sound")
    with pytest.raises(AudioError, match=r"bad\.wav"):
        untrained().predict([wav, tmp_path / "bad.wav"])


def test_one_broken_clip_of_a_hundred_leaves_ninety_nine_results() -> None:
    clips: list[object] = [noise(2_000 + 50 * seed, seed) for seed in range(100)]
    clips[40] = np.full(100, np.nan, np.float32)
    outcomes = dict(untrained().predict_many(clips, RATE))
    assert sorted(outcomes) == list(range(100))
    assert [place for place, one in outcomes.items() if isinstance(one, AudioError)] == [40]


def test_many_clips_are_read_one_pool_ahead_and_no_further(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Clips wait in memory, so how many are read must not grow with the list."""
    read: list[int] = []

    class Clips(list[np.ndarray]):
        def __iter__(self) -> Iterator[np.ndarray]:
            for place in range(len(self)):
                read.append(place)
                yield self[place]

    monkeypatch.setattr(predict, "POOL", 3)
    outcomes = untrained().predict_many(Clips(noise(800, seed) for seed in range(20)), RATE)
    first = next(outcomes)
    assert len(read) <= 6
    assert sorted(place for place, _ in [first, *outcomes]) == read == list(range(20))
    monkeypatch.setattr(predict, "POOL_S", 0.04)
    pools = predict._pools([noise(320)] * 7, RATE, RATE, in_windows=False)
    assert [len(pool) for pool in pools] == [3, 3, 1]


def test_a_10_ms_clip_and_digital_silence_give_finite_scores(model: EmotionClassifier) -> None:
    for clip in (noise(160), np.zeros(RATE, np.float32), np.zeros(1, np.float32)):
        scores = model.predict(clip, sample_rate_hz=RATE).scores
        assert all(0 <= score <= 1 for score in scores.values())


def test_the_mean_of_channels_is_what_is_heard(model: EmotionClassifier, tmp_path: Path) -> None:
    mono = noise(20_000)
    stereo = np.stack([2 * mono, np.zeros_like(mono)], axis=1)
    soundfile.write(tmp_path / "stereo.wav", stereo, RATE, subtype="FLOAT")
    one = model.predict(tmp_path / "stereo.wav").scores
    other = model.predict(mono, sample_rate_hz=RATE).scores
    assert one == pytest.approx(other, abs=1e-5)


def test_segments_are_scored_alone_and_averaged(attention: str) -> None:
    model = untrained(attention, segment_s=1.0, segment_hop_s=0.5)
    waveform = torch.from_numpy(noise(36_000))[None]
    starts = [0, 8_000, 16_000, 24_000]  # 36,000 samples: the fourth segment is cut short
    with torch.no_grad():
        parts = [
            model(part, torch.tensor([part.shape[1]])).softmax(1)
            for part in (waveform[:, start : start + RATE] for start in starts)
        ]
    lengths = torch.tensor([36_000, 700])
    batch = torch.cat([waveform, torch.randn(1, 36_000)])
    scores = batch_scores(model, batch, lengths)
    torch.testing.assert_close(scores[:1], torch.stack(parts).mean(0), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(scores.sum(1), torch.ones(2))
    alone = batch_scores(model, batch[1:, :700], lengths[1:])
    torch.testing.assert_close(scores[1:], alone, atol=1e-5, rtol=1e-4)


def test_temperature_softens_scores_and_keeps_the_label(wav: Path) -> None:
    torch.manual_seed(0)
    sharp = untrained()
    torch.manual_seed(0)
    soft = untrained(temperature=4.0)
    soft.load_state_dict(sharp.state_dict())
    assert soft.predict(wav).label == sharp.predict(wav).label
    assert soft.predict(wav).confidence < sharp.predict(wav).confidence
