"""Figures agree with scikit-learn and torchmetrics, and with what can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn import metrics as reference
from torchmetrics.classification import MulticlassAccuracy, MulticlassCalibrationError

from fcattn import metrics

dice = np.random.default_rng(0)
TRUTH = dice.choice(4, size=400, p=[0.5, 0.3, 0.15, 0.05])
SCORES = dice.dirichlet(np.ones(4), size=400) + 0.3 * np.eye(4)[TRUTH]
SCORES /= SCORES.sum(axis=1, keepdims=True)
GUESS = SCORES.argmax(axis=1)
CONFUSION = metrics.confusion_matrix(TRUTH, GUESS, 4)


def test_figures_agree_with_scikit_learn() -> None:
    np.testing.assert_array_equal(CONFUSION, reference.confusion_matrix(TRUTH, GUESS))
    assert metrics.weighted_accuracy(CONFUSION) == pytest.approx(
        reference.accuracy_score(TRUTH, GUESS)
    )
    assert metrics.unweighted_accuracy(CONFUSION) == pytest.approx(
        reference.balanced_accuracy_score(TRUTH, GUESS)
    )
    assert metrics.weighted_f1(CONFUSION) == pytest.approx(
        reference.f1_score(TRUTH, GUESS, average="weighted")
    )


def test_figures_agree_with_torchmetrics() -> None:
    scores, truth = torch.from_numpy(SCORES), torch.from_numpy(TRUTH)
    assert metrics.unweighted_accuracy(CONFUSION) == pytest.approx(
        float(MulticlassAccuracy(4, average="macro")(scores, truth))
    )
    assert metrics.calibration_error(SCORES, TRUTH) == pytest.approx(
        float(MulticlassCalibrationError(4)(scores, truth)), abs=1e-6
    )


def test_a_class_that_does_not_occur_is_left_out_of_ua() -> None:
    assert metrics.unweighted_accuracy([[3, 1, 0], [0, 2, 0], [0, 0, 0]]) == (0.75 + 1) / 2


def test_intervals_hold_the_figure_and_widen_with_alike_utterances() -> None:
    alone = [str(place) for place in range(400)]
    people = [str(place // 50) for place in np.argsort(np.argsort(GUESS == TRUTH))]
    narrow = metrics.speaker_interval(TRUTH, GUESS, alone, 4)
    wide = metrics.speaker_interval(TRUTH, GUESS, people, 4)
    for one in (narrow, wide):
        assert one.low <= one.value <= one.high
        assert one.value == pytest.approx(metrics.unweighted_accuracy(CONFUSION))
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_alignment_is_full_where_attention_follows_level() -> None:
    level = np.linspace(-60, -20, 80)
    found = metrics.alignment(level + 70, level, 0.04, centres=np.full((4, 80), 0.99))
    assert found == pytest.approx((1.0, 1.0, 1.0))


def test_alignment_is_nil_where_attention_looks_beside() -> None:
    level = np.full(80, -60.0)
    level[10:12] = -20
    received = np.zeros(80)
    received[60] = 1
    found = metrics.alignment(received, level, 0.04, centres=np.full(80, 0.9))
    assert found.correlation < 0
    assert (found.peak_hit, found.focus_hit) == (0.0, 0.0)


def test_a_peak_within_a_tenth_of_a_second_hits() -> None:
    level = np.full(80, -60.0)
    level[40] = -20
    for shift, hit in ((2, 1.0), (3, 0.0)):
        received = np.eye(80)[40 + shift]
        assert metrics.alignment(received, level, 0.04).peak_hit == hit
