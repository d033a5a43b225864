"""The decoded audio and the batches made of it."""

from __future__ import annotations

import functools
import multiprocessing
import operator
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from conftest import noise
from fcattn import audio
from fcattn.data import Synthetic, augment
from fcattn.data.batches import LengthBatches
from fcattn.data.cache import AudioCache, prepare
from fcattn.data.utterance import Utterance

LENGTHS = np.random.default_rng(0).integers(10_000, 90_000, size=203).tolist()


def epoch(number: int = 0, **settings: int) -> list[list[int]]:
    order = LengthBatches(LENGTHS, 8, shuffle=True, epoch=lambda: number, **settings)
    return [places for _, places in order]


def test_an_epoch_is_a_full_pass_in_a_seeded_order() -> None:
    assert sorted(functools.reduce(operator.iadd, epoch(), [])) == list(range(203))
    assert epoch() == epoch()
    assert epoch() != epoch(1)
    assert epoch() != epoch(seed=1)


def test_clips_of_a_batch_have_like_length() -> None:
    def padding(batches: list[list[int]]) -> float:
        whole = sum(max(LENGTHS[i] for i in batch) * len(batch) for batch in batches)
        return whole / sum(LENGTHS) - 1

    shuffled = np.random.default_rng(1).permutation(203).tolist()
    assert padding(epoch()) < 0.15
    assert padding([shuffled[i : i + 8] for i in range(0, 203, 8)]) > 0.4


def test_batches_of_a_speaker_are_that(tones: Path) -> None:
    def speakers(alike: str) -> float:
        data = Synthetic(
            str(tones), validation_speakers=["05"], batch_size=8, crop_s=0.5, alike=alike
        )
        data.prepare_data()
        data.setup("fit")
        train = data.splits["train"]
        each = [
            {train[place].speaker for place in batch.places} for batch in data.train_dataloader()
        ]
        return sum(map(len, each)) / len(each)

    assert speakers("speaker") <= 2 < speakers("length")


def test_clips_of_one_length_are_shuffled_too() -> None:
    """Crops are often all of one length; neighbours in a corpus are of one speaker."""
    batches = [indices for _, indices in LengthBatches([48_000] * 960, 16, shuffle=True)]
    speakers = [len({index // 60 for index in indices}) for indices in batches]
    assert sum(speakers) / len(speakers) > 8


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_share_a_pass_and_do_equally_many_steps(processes: int) -> None:
    shares = [epoch(rank=rank, processes=processes) for rank in range(processes)]
    assert len({tuple(map(len, share)) for share in shares}) == 1
    seen = [place for share in shares for batch in share for place in batch]
    assert set(seen) == set(range(203))
    assert len(seen) - 203 < processes


def test_two_processes_see_what_one_with_twice_the_batch_sees() -> None:
    lengths = LENGTHS[:160]
    one = LengthBatches(lengths, batch_size=16, shuffle=True)
    two = [LengthBatches(lengths, 8, True, rank=rank, processes=2) for rank in (0, 1)]
    for (_, whole), (_, first), (_, second) in zip(one, *two, strict=True):
        assert sorted(whole) == sorted(first + second)


def test_judging_takes_every_clip_once_over_all_processes() -> None:
    shares = [list(LengthBatches(LENGTHS, 8, rank=rank, processes=3)) for rank in range(3)]
    seen = [place for share in shares for _, batch in share for place in batch]
    assert sorted(seen) == list(range(203))


@pytest.fixture
def clips(tmp_path: Path) -> list[Utterance]:
    found = []
    for number in range(5):
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, noise(1_000 + 500 * number, number), 16_000)
        found.append(Utterance(str(number), path, "a", "sad"))
    return found


def test_the_cache_gives_what_the_files_hold(clips: list[Utterance], tmp_path: Path) -> None:
    cache = AudioCache(prepare(clips, 16_000, tmp_path / "cache"))
    for clip in clips:
        exact = audio.load(clip.path, 16_000)
        np.testing.assert_allclose(cache.read(clip), exact, atol=4e-5)
        assert cache.read(clip).dtype == np.float32
        assert cache.length(clip) == len(exact)
    np.testing.assert_array_equal(cache.read(clips[1], 100, 50), cache.read(clips[1])[100:150])


def test_the_cache_is_built_once_and_again_when_a_file_changes(
    clips: list[Utterance], tmp_path: Path
) -> None:
    first = prepare(clips, 16_000, tmp_path / "cache")
    stamp = (first / "samples.npy").stat().st_mtime_ns
    assert prepare(clips, 16_000, tmp_path / "cache") == first
    assert (first / "samples.npy").stat().st_mtime_ns == stamp
    soundfile.write(clips[0].path, noise(777, 9), 16_000)
    second = prepare(clips, 16_000, tmp_path / "cache")
    assert second != first
    assert AudioCache(second).length(clips[0]) == 777
    assert prepare(clips, 8_000, tmp_path / "cache") not in (first, second)


def build(clips: list[Utterance], folder: Path) -> None:
    AudioCache(prepare(clips, 16_000, folder)).read(clips[0])


def test_processes_that_need_a_cold_cache_at_once_all_get_it(
    clips: list[Utterance], tmp_path: Path
) -> None:
    context = multiprocessing.get_context("fork" if os.name == "posix" else "spawn")
    workers = [context.Process(target=build, args=(clips, tmp_path / "cache")) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert len([path for path in (tmp_path / "cache").iterdir() if path.is_dir()]) == 1


def test_crops_move_with_the_epoch_and_stay_with_the_seed(tones: Path) -> None:
    data = Synthetic(str(tones), validation_speakers=["05"], crop_s=0.3)
    data.prepare_data()
    data.setup("fit")
    clips = data.clips("train", crop_s=0.3)
    first, again, later = clips[0, [3, 4]], clips[0, [3, 4]], clips[1, [3, 4]]
    assert first.waveform.shape == (2, 4_800)
    assert torch.equal(first.waveform, again.waveform)
    assert not torch.equal(first.waveform, later.waveform)


def test_judged_clips_are_whole(tones: Path) -> None:
    data = Synthetic(str(tones), validation_speakers=["05"], crop_s=0.3)
    data.prepare_data()
    data.setup("fit")
    for batch in data.val_dataloader():
        for place, length in zip(batch.places.tolist(), batch.lengths.tolist(), strict=True):
            assert length == data.cache.length(data.splits["validation"][place])


@pytest.mark.parametrize("percent", [85, 95, 110, 125])
def test_speed_moves_pitch_length_and_moments(percent: int) -> None:
    time_s = torch.arange(16_001) / 16_000
    wave = torch.sin(2 * torch.pi * 500 * time_s) * torch.exp(-((time_s - 0.5) ** 2) / 0.01)
    changed, lengths = augment.change_speed(wave[None], torch.tensor([16_001]), percent)
    samples = 16_001 * 100 / percent
    assert abs(int(lengths) - samples) <= 1
    assert abs(changed.shape[1] - samples) <= 1
    assert torch.fft.rfft(changed[0], 16_000).abs().argmax() == 500 * percent / 100
    loudness = changed[0].square()
    moment = (loudness * torch.arange(len(loudness))).sum() / loudness.sum()
    assert abs(moment - 8_000 * 100 / percent) < 1
    assert changed.abs().max().item() == pytest.approx(1, abs=0.01)


def test_noise_has_the_ratio_that_was_asked_for() -> None:
    wave = torch.randn(8, 32_000) * torch.logspace(-3, 0, 8)[:, None]
    added = augment.add_noise(wave, (20.0, 20.0), share=1.0) - wave
    ratio = 10 * torch.log10(wave.square().mean(1) / added.square().mean(1))
    torch.testing.assert_close(ratio, torch.full((8,), 20.0), atol=0.2, rtol=0)
    assert torch.equal(augment.add_noise(wave, (20.0, 20.0), share=0.0), wave)


def test_gain_stays_within_its_limit() -> None:
    wave = torch.ones(500, 4)
    change = 20 * augment.change_gain(wave, 6.0)[:, 0].log10()
    assert change.abs().max() <= 6.0
    assert change.min() < -4 < 4 < change.max()


def test_masks_hide_frames_of_the_utterance_and_bands() -> None:
    frames = torch.ones(200, 100, 64)
    lengths = torch.full((200,), 50)
    hidden = augment.mask_frames(frames, lengths, masks=1, longest=10)[..., 0] == 0
    assert hidden.sum(1).max() <= 10
    assert hidden.any(1).float().mean() > 0.8
    assert not hidden[:, 50:].any()
    bands = augment.mask_bands(frames, masks=2, most=8)[:, 0] == 0
    assert bands.sum(1).max() <= 16


def test_mixing_keeps_targets_probabilities_and_the_longer_length() -> None:
    targets = torch.eye(4)
    lengths = torch.tensor([10, 20, 30, 40])
    frames = torch.arange(4.0)[:, None, None].expand(4, 40, 8)
    mixed, longer, both = augment.mix(frames, lengths, targets, alpha=0.4)
    torch.testing.assert_close(both.sum(1), torch.ones(4))
    assert (both.diagonal() >= 0.5).all()
    assert (longer >= lengths).all()
    torch.testing.assert_close(mixed[:, 0, 0], both @ torch.arange(4.0))
