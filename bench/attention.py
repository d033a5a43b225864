"""FA and FA+CA against plain MHSA, and against FA as it is usually written."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn import functional

from bench.sides import Row, at_most, faster, medians_s
from fcattn.attention import FocusBias, HeadCalibration, SelfAttention
from fcattn.folding import Focus, attend, positions

HEADS, SIZE, BATCH = 4, 32, 8
WIDTH = HEADS * SIZE
GOALS = {100: (1.6, 1.6), 300: (1.3, 1.4), 1000: (1.3, 1.4), 3000: (1.3, 1.4)}


def rows() -> Iterator[Row]:
    """Forward and backward of a padded batch; then one attention at T = 1000."""
    for time_steps, (focus_goal, both_goal) in GOALS.items():
        found = medians_s({name: _step(layer, time_steps) for name, layer in _layers().items()})
        for name, goal in (("FA", focus_goal), ("FA+CA", both_goal)):
            what = f"{name}, forward + backward, T = {time_steps}"
            yield at_most(what, "MHSA", found[name], found["MHSA"], goal)
    found = medians_s(_written())
    what = "FA folded, forward, T = 1000"
    yield faster(what, "additive bias", found["folded"], found["bias"], 4)
    yield faster(what, "matmul, softmax, matmul", found["folded"], found["matmul"], 5)
    yield _memory()


def _layers() -> dict[str, SelfAttention]:
    return {
        "MHSA": SelfAttention(WIDTH, HEADS),
        "FA": SelfAttention(WIDTH, HEADS, FocusBias(HEADS, SIZE)),
        "FA+CA": SelfAttention(WIDTH, HEADS, FocusBias(HEADS, SIZE), HeadCalibration(HEADS, SIZE)),
    }


def _batch(time_steps: int) -> tuple[Tensor, Tensor]:
    lengths = torch.linspace(time_steps / 2, time_steps, BATCH).long()
    mask = torch.arange(time_steps) < lengths[:, None]
    return torch.randn(BATCH, time_steps, WIDTH, requires_grad=True), mask


def _step(layer: SelfAttention, time_steps: int) -> Callable[[], None]:
    frames, mask = _batch(time_steps)

    def run() -> None:
        layer(frames, mask)[0].sum().backward()

    return run


def _parts(time_steps: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Focus]:
    query, key, value = torch.randn(3, BATCH, HEADS, time_steps, SIZE)
    centre, width = torch.rand(2, BATCH, HEADS, time_steps)
    return query, key, value, _batch(time_steps)[1], Focus(centre, 0.05 + 0.4 * width)


def _bias(mask: Tensor, focus: Focus) -> Tensor:
    """The Gaussian and the mask as a matrix (B, H, T, T)."""
    gap = positions(mask)[:, None, None, :] - focus.centre[..., None]
    return (-gap.square() / (2 * focus.width[..., None].square())).masked_fill(
        ~mask[:, None, None, :], -1e4
    )


def _written(time_steps: int = 1000) -> dict[str, Callable[[], Tensor]]:
    """Three ways to write FA."""
    query, key, value, mask, focus = _parts(time_steps)

    def matmul() -> Tensor:
        logits = query @ key.mT / SIZE**0.5 + _bias(mask, focus)
        return torch.softmax(logits, dim=-1) @ value

    def bias() -> Tensor:
        return functional.scaled_dot_product_attention(
            query, key, value, attn_mask=_bias(mask, focus)
        )

    return {
        "folded": lambda: attend(query, key, value, mask, focus),
        "bias": bias,
        "matmul": matmul,
    }


def _memory() -> Row:
    """What torch allocates for FA at T = 3000 over what it does at T = 1000; T² would be 9."""
    sizes = []
    for time_steps in (1000, 3000):
        query, key, value, mask, focus = _parts(time_steps)
        with torch.profiler.profile(profile_memory=True) as profile:
            attend(query, key, value, mask, focus)
        sizes.append(max(event.cpu_memory_usage for event in profile.key_averages()) / 1e6)
    ratio = sizes[1] / sizes[0]
    shown = [f"{size:.1f} MB" for size in sizes]
    return Row(
        "FA folded, largest allocation, T = 3000", "T = 1000", shown[1], shown[0], ratio,
        "grows with T: ≤ 3.5 ×", ratio <= 3.5,
    )  # fmt: skip
