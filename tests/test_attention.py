"""What attention.py promises."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from fcattn.attention import FocusBias, HeadCalibration, SelfAttention
from fcattn.folding import Focus, attend, positions, received_attention

BATCH, HEADS, TIME, SIZE = 3, 4, 50, 16


def explicit(query: Tensor, key: Tensor, mask: Tensor, focus: Focus | None) -> Tensor:
    """Attention weights (B, H, T, T) as the formula is written, with a time × time bias."""
    logits = query @ key.mT / query.shape[-1] ** 0.5
    if focus is not None:
        distance = positions(mask)[:, None, None, :] - focus.centre[..., None]
        logits = logits - distance.square() / (2 * focus.width[..., None].square())
    return torch.softmax(logits.masked_fill(~mask[:, None, None, :], float("-inf")), dim=-1)


def masks(padded: bool) -> Tensor:
    lengths = torch.tensor([TIME, 31, 1] if padded else [TIME] * 3)
    return torch.arange(TIME) < lengths[:, None]


def inputs() -> list[Tensor]:
    return [torch.randn(BATCH, HEADS, TIME, SIZE, requires_grad=True) for _ in range(3)]


def sharp_focus() -> FocusBias:
    bias = FocusBias(HEADS, SIZE)
    torch.nn.init.normal_(bias.to_centre_and_width)
    torch.nn.init.normal_(bias.wide)
    return bias


@pytest.mark.parametrize("padded", [False, True])
def test_folded_focus_equals_the_explicit_formula(padded: bool) -> None:
    query, key, value = inputs()
    mask, bias = masks(padded), sharp_focus()
    focus = bias(query, mask)
    valid = mask[:, None, :, None]
    folded = attend(query, key, value, mask, focus) * valid
    formula = explicit(query, key, mask, focus) @ value * valid
    torch.testing.assert_close(folded, formula, atol=2e-5, rtol=1e-5)
    weights = [query, key, value, *bias.parameters()]
    ours = torch.autograd.grad(folded.square().sum(), weights, retain_graph=True)
    theirs = torch.autograd.grad(formula.square().sum(), weights)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-4 * float(other.abs().max()), rtol=1e-3)


@pytest.mark.parametrize("narrow", [0.02, 0.05])
def test_folded_focus_keeps_its_digits_in_bfloat16(narrow: float) -> None:
    query, key, value = (one.detach().bfloat16() for one in inputs())
    mask = masks(padded=True)
    centre = torch.rand(BATCH, HEADS, TIME)
    focus = Focus(centre, torch.full_like(centre, narrow))
    exact = explicit(query.float(), key.float(), mask, focus) @ value.float()
    folded = attend(query, key, value, mask, focus).float()
    error = ((folded - exact) * mask[:, None, :, None]).abs().max()
    assert error < 0.02, "a naive fold errs by 0.1 to 1 here"


def test_plain_attention_ignores_padding() -> None:
    query, key, value = inputs()
    mask = masks(padded=True)
    formula = explicit(query, key, mask, None) @ value
    torch.testing.assert_close(attend(query, key, value, mask, None), formula)


def test_centre_and_width_stay_inside_the_utterance() -> None:
    bias = sharp_focus()
    focus = bias(100 * torch.randn(BATCH, HEADS, TIME, SIZE), masks(padded=True))
    assert focus.centre.min() >= 0
    assert focus.centre.max() <= 1
    assert focus.width.min() >= bias.narrowest
    assert focus.width.max() <= bias.narrowest + (1 - bias.narrowest) / 2 + 1e-6


def test_focus_starts_wide_so_that_fa_is_close_to_mhsa() -> None:
    query, key, value = inputs()
    mask = masks(padded=False)
    start = attend(query, key, value, mask, FocusBias(HEADS, SIZE)(query, mask))
    plain = attend(query, key, value, mask, None)
    assert (start - plain).abs().mean() < 0.15 * plain.abs().mean()


def test_fa_ca_starts_as_fa() -> None:
    focus = FocusBias(HEADS, SIZE)
    both = SelfAttention(HEADS * SIZE, HEADS, focus, HeadCalibration(HEADS, SIZE))
    frames, mask = torch.randn(BATCH, TIME, HEADS * SIZE), masks(padded=True)
    with_ca, _ = both(frames, mask)
    both.calibration = None
    without, _ = both(frames, mask)
    assert torch.equal(with_ca, without)


def test_calibration_weighs_heads_between_0_and_2_from_valid_frames_only() -> None:
    calibration = HeadCalibration(HEADS, SIZE)
    torch.nn.init.normal_(calibration.weigh.weight)
    heads, mask = torch.randn(BATCH, HEADS, TIME, SIZE), masks(padded=True)
    weights = calibration(heads, mask)
    assert weights.shape == (BATCH, HEADS)
    assert weights.min() > 0
    assert weights.max() < 2
    assert weights.std() > 0.01
    junk = torch.where(mask[:, None, :, None], heads, 1e3)
    torch.testing.assert_close(calibration(junk, mask), weights)


def test_a_head_with_weight_0_says_nothing() -> None:
    calibration = HeadCalibration(HEADS, SIZE)
    with torch.no_grad():
        calibration.weigh.bias.copy_(torch.tensor([-100.0, 0.0, 0.0, 0.0]))
    layer = SelfAttention(HEADS * SIZE, HEADS, None, calibration)
    layer.output = torch.nn.Identity()
    output, _ = layer(torch.randn(1, TIME, HEADS * SIZE), masks(False)[:1])
    assert output[..., :SIZE].abs().max() < 1e-6
    assert output[..., SIZE:].abs().max() > 0.01


@pytest.mark.parametrize("rows", [7, 256])
def test_received_attention_is_the_column_mean_of_the_explicit_weights(rows: int) -> None:
    query, key, _ = inputs()
    mask, bias = masks(padded=True), sharp_focus()
    focus = bias(query, mask)
    weights = explicit(query, key, mask, focus) * mask[:, None, :, None]
    mean = weights.sum(dim=2) / mask.sum(dim=1)[:, None, None]
    found = received_attention(query, key, mask, focus, rows)
    torch.testing.assert_close(found, mean, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found.sum(-1), torch.ones(BATCH, HEADS))


def test_looking_does_not_change_the_output() -> None:
    layer = SelfAttention(64, HEADS, FocusBias(HEADS, 16), HeadCalibration(HEADS, 16))
    frames, mask = torch.randn(BATCH, TIME, 64), masks(padded=True)
    plain, nothing = layer(frames, mask)
    output, seen = layer(frames, mask, inspect=True)
    assert nothing is None
    assert torch.equal(plain, output)
    assert seen.received.shape == seen.centre.shape == (BATCH, HEADS, TIME)
    assert seen.head_weights.shape == (BATCH, HEADS)


def test_memory_of_the_focus_grows_with_time_not_its_square() -> None:
    layer = SelfAttention(64, HEADS, FocusBias(HEADS, 16))
    time = 4000
    frames = torch.randn(1, time, 64, requires_grad=True)
    sizes: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: (sizes.append(t.numel()), t)[1], id):
        layer(frames, torch.ones(1, time, dtype=torch.bool))
    assert max(sizes) < 20 * HEADS * time * 3, "a time × time tensor was kept"
    assert max(sizes) < HEADS * time * time / 10
