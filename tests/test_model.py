"""What features.py and model.py promise."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from conftest import LABELS, SMALL, noise, untrained
from fcattn import EmotionClassifier
from fcattn.config import FeatureConfig, ModelConfig
from fcattn.features import LogMel, filter_bank, smooth_levels_db
from fcattn.model import EmotionNetwork
from fcattn.norm import MaskedNormReLU

LENGTHS = [160, 8_000, 16_001, 39_999, 48_000]


@torch.no_grad()
def test_padding_does_not_change_the_scores(model: EmotionClassifier) -> None:
    waveform = torch.from_numpy(noise(5 * 48_000)).reshape(5, 48_000)
    together = model(waveform, torch.tensor(LENGTHS))  # junk beyond each length
    for row, length in enumerate(LENGTHS):
        alone = model(waveform[row : row + 1, :length], torch.tensor([length]))
        torch.testing.assert_close(together[row : row + 1], alone, atol=2e-5, rtol=1e-4)


def test_padding_does_not_change_the_gradients(attention: str) -> None:
    waveform = torch.from_numpy(noise(24_000))[None]
    gradients = []
    still = replace(SMALL, dropout=0.0)
    for padding in (0, 20_000):
        torch.manual_seed(1)
        network = EmotionNetwork(ModelConfig(LABELS, attention, network=still)).train()
        padded = torch.nn.functional.pad(waveform, (0, padding), value=0.5)
        network(padded, torch.tensor([24_000])).square().sum().backward()
        gradients.append([weight.grad for weight in network.parameters()])
    for alone, padded in zip(*gradients, strict=True):
        torch.testing.assert_close(padded, alone, atol=1e-5, rtol=1e-3)


def test_batch_norm_counts_valid_frames_only() -> None:
    mask = torch.arange(40) < torch.tensor([[40], [25]])
    maps = torch.where(mask[:, None, :, None], torch.randn(2, 3, 40, 8), 1e3).requires_grad_()
    weight, bias = torch.tensor([0.5, -1.0, 2.0]), torch.tensor([0.1, 0.2, -0.3])
    ours, reference = MaskedNormReLU(3), torch.nn.BatchNorm1d(3)
    for norm in (ours, reference):
        norm.weight.data.copy_(weight), norm.bias.data.copy_(bias)

    def last(values: Tensor) -> Tensor:
        return values.permute(0, 2, 3, 1)[mask]

    found, expected = ours(maps, mask), reference(last(maps).reshape(-1, 3)).relu()
    torch.testing.assert_close(last(found).reshape(-1, 3), expected, atol=1e-5, rtol=1e-4)
    assert (found.permute(0, 2, 3, 1)[~mask] == 0).all()
    direction = torch.randn_like(expected)
    [theirs] = torch.autograd.grad(expected, maps, direction, retain_graph=True)
    (expected * direction).sum().backward(inputs=list(reference.parameters()))
    outward = torch.zeros(2, 40, 8, 3)
    outward[mask] = direction.reshape(-1, 8, 3)
    found.backward(outward.permute(0, 3, 1, 2))
    torch.testing.assert_close(maps.grad, theirs, atol=1e-5, rtol=1e-3)
    torch.testing.assert_close(ours.weight.grad, reference.weight.grad, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(ours.bias.grad, reference.bias.grad, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(ours.running_mean, reference.running_mean)
    torch.testing.assert_close(ours.running_var, reference.running_var)
    ours.eval(), reference.eval()
    torch.testing.assert_close(
        last(ours(maps, mask)).reshape(-1, 3), reference(last(maps).reshape(-1, 3)).relu()
    )


@pytest.mark.parametrize("samples", [1, 159, 160, 400, 16_000])
@torch.no_grad()
def test_any_length_gives_finite_logits(model: EmotionClassifier, samples: int) -> None:
    logits = model(torch.zeros(1, samples), torch.tensor([samples]))
    assert logits.shape == (1, 4)
    assert logits.isfinite().all()


@torch.no_grad()
def test_inspection_shows_each_block_and_the_same_logits(model: EmotionClassifier) -> None:
    waveform, lengths = torch.randn(2, 16_000), torch.tensor([16_000, 9_000])
    seen = model.inspect(waveform, lengths)
    torch.testing.assert_close(seen.logits, model(waveform, lengths))
    assert len(seen.blocks) == SMALL.blocks
    assert seen.lengths.tolist() == [26, 15]
    for block in seen.blocks:
        torch.testing.assert_close(block.received.sum(-1), torch.ones(2, 4))
        assert block.received[1, :, 15:].abs().max() < 1e-6
        assert (block.centre is None) == (model.config.attention == "mhsa")
        assert (block.head_weights is None) == (model.config.attention != "fa_ca")


def test_the_three_variants_differ_in_the_attention_alone() -> None:
    names = {kind: set(untrained(kind).state_dict()) for kind in ("mhsa", "fa", "fa_ca")}
    assert set(names["fa"] - names["mhsa"]) == {
        name for name in names["fa_ca"] if ".attend.focus." in name
    }
    assert set(names["fa_ca"] - names["fa"]) == {
        name for name in names["fa_ca"] if ".attend.calibration." in name
    }
    assert names["mhsa"] < names["fa"] < names["fa_ca"]


def test_log_mel_is_loudest_in_the_band_of_a_tone() -> None:
    mel = LogMel(FeatureConfig())
    time_s = torch.arange(16_000) / 16_000
    for hertz in (300.0, 1_000.0, 4_000.0):
        level, _ = mel.level_db(
            torch.sin(2 * torch.pi * hertz * time_s)[None], torch.tensor([16_000])
        )
        band = int(level[0, 50].argmax())
        centre = mel.bank[:, band] @ torch.linspace(0, 8_000, 257) / mel.bank[:, band].sum()
        assert abs(float(centre) - hertz) < 0.12 * hertz + 40


def test_every_band_takes_the_same_share_of_a_flat_spectrum() -> None:
    config = FeatureConfig(mel_bands=48)
    bank = filter_bank(config, fft_size=8_192)
    area = bank.sum(dim=0) * config.sample_rate_hz / 8_192
    torch.testing.assert_close(area, torch.ones(48), atol=5e-3, rtol=0)


def test_bands_are_even_below_1_khz_and_grow_above() -> None:
    step = 6.4 ** (1 / 27)
    config = FeatureConfig(
        sample_rate_hz=24_000, low_hz=0.0, high_hz=1_000 * step**34, mel_bands=48
    )  # a band for each whole mel
    centre_hz = filter_bank(config, 65_536).argmax(dim=0) * 24_000 / 65_536
    expected_hz = [
        mel * 200 / 3 if mel < 15 else 1_000 * step ** (mel - 15) for mel in range(1, 49)
    ]
    torch.testing.assert_close(centre_hz, torch.tensor(expected_hz), atol=0.4, rtol=0)


def test_log_mel_rises_by_20_db_with_ten_times_the_amplitude() -> None:
    mel = LogMel(FeatureConfig())
    quiet = torch.from_numpy(noise(16_000))[None] / 10
    lengths = torch.tensor([16_000])
    difference = mel.level_db(10 * quiet, lengths)[0] - mel.level_db(quiet, lengths)[0]
    torch.testing.assert_close(difference, torch.full_like(difference, 20.0), atol=0.01, rtol=0)


def test_levels_are_rms_in_db() -> None:
    level = smooth_levels_db(torch.full((1, 16_000), 0.1), FeatureConfig())
    assert level.shape == (1, 101)
    torch.testing.assert_close(level[0, 5:-5], torch.full((91,), -20.0), atol=0.01, rtol=0)


def test_features_stay_in_float32_under_autocast() -> None:
    mel = LogMel(FeatureConfig())
    waveform, lengths = torch.from_numpy(noise(16_000))[None], torch.tensor([16_000])
    exact, _ = mel(waveform, lengths)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(mel(waveform, lengths)[0], exact)


@torch.no_grad()
def test_bfloat16_scores_stay_near_float32(model: EmotionClassifier) -> None:
    waveform, lengths = torch.from_numpy(noise(32_000))[None], torch.tensor([32_000])
    exact = model(waveform, lengths).softmax(1)
    with torch.autocast("cpu", torch.bfloat16):
        rough = model(waveform, lengths).float().softmax(1)
    torch.testing.assert_close(rough, exact, atol=0.03, rtol=0)
