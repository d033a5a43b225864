"""How weights are learnt: AdamW, with a learning rate that rises and then falls along a cosine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn


@dataclass(frozen=True)
class Optimisation:
    """How the weights are learnt: AdamW with warm-up and a cosine.

    Args:
        learning_rate: Highest rate.
        weight_decay: Of the matrices; biases and norms have none.
        warmup: Share of all steps in which the rate rises.
        label_smoothing: Share of the target spread over all classes.
    """

    learning_rate: float = 4e-3
    weight_decay: float = 0.1
    warmup: float = 0.1
    label_smoothing: float = 0.1


def make_optimizer(network: nn.Module, plan: Optimisation, steps: int) -> dict[str, Any]:
    """Optimizer and scheduler in the form that Lightning takes.

    Args:
        network: What learns.
        plan: Rates.
        steps: Steps of the whole training.
    """
    weights = list(network.parameters())
    groups: list[dict[str, Any]] = [
        {"params": [one for one in weights if one.ndim > 1]},
        {"params": [one for one in weights if one.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, plan.learning_rate, weight_decay=plan.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: rate_share(step, steps, plan.warmup)
    )
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def rate_share(step: int, steps: int, warmup: float) -> float:
    """Share of the highest learning rate: a line up, then half a cosine down to 0.

    Example:
        >>> [round(rate_share(step, 8, 0.25), 2) for step in (0, 1, 4, 8)]
        [0.5, 1.0, 0.75, 0.0]
    """
    rising = max(1, round(warmup * steps))
    if step < rising:
        return (step + 1) / rising
    done = min(1.0, (step - rising) / max(1, steps - rising))
    return (1 + math.cos(math.pi * done)) / 2
