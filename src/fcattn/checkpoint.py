"""A checkpoint is a folder of four files; loading is strict, never unpickles and runs no code."""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from fcattn.config import FORMAT_VERSION, ModelConfig
from fcattn.errors import CheckpointError, ConfigError
from fcattn.model import EmotionNetwork
from fcattn.provenance import Provenance

CONFIG, WEIGHTS, METRICS, CARD = "config.json", "model.safetensors", "metrics.json", "README.md"
FILES = (CONFIG, WEIGHTS, METRICS, CARD)

LARGEST = {CONFIG: 1_000_000, METRICS: 20_000_000, CARD: 2_000_000}
"""Bytes; what is larger is no checkpoint of ours and is not read."""

HEADER = 1_000_000
"""Bytes that names and shapes of weights may take in their file."""


class Checkpoint(NamedTuple):
    """What a folder holds.

    Attributes:
        config: The model.
        weights: By name.
        provenance: Where they come from.
        results: Figures of each judged split.
    """

    config: ModelConfig
    weights: dict[str, Tensor]
    provenance: Provenance
    results: dict[str, Any]


def save(folder: str | Path, checkpoint: Checkpoint, card: str) -> Path:
    """Write the four files; the folder appears whole or not at all, and replaces an older one.

    Args:
        folder: Where to.
        checkpoint: What to write.
        card: Text of the model card.
    """
    target = Path(folder).absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        config = {"format_version": FORMAT_VERSION, **checkpoint.config.to_dict()}
        about = {
            "provenance": dataclasses.asdict(checkpoint.provenance),
            "results": checkpoint.results,
        }
        _write(partial / CONFIG, json.dumps(config, indent=2))
        _write(partial / METRICS, json.dumps(about, indent=2, ensure_ascii=False))
        _write(partial / CARD, card.rstrip("\n"))
        whole = {
            name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.weights.items()
        }
        save_file(whole, partial / WEIGHTS, metadata={"format": "pt"})
        (partial / WEIGHTS).chmod(0o644)
        partial.chmod(0o755)
        if target.exists():
            old = target.rename(partial.with_suffix(".old"))
            partial.replace(target)
            shutil.rmtree(old)
        else:
            partial.replace(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def load(folder: str | Path) -> Checkpoint:
    """Read a checkpoint folder.

    Raises:
        CheckpointError: If a file is missing or cannot be read, if the format is newer than this
            package, or if the weights are not exactly those that the config describes.
    """
    place = Path(folder)
    missing = [name for name in FILES if not (place / name).is_file()]
    if missing:
        raise CheckpointError(
            f"{place}: no {', '.join(missing)}; a checkpoint folder holds {', '.join(FILES)}"
        )
    config = read_config(place / CONFIG)
    results = _read_json(place / METRICS).get("results", {})
    if not isinstance(results, dict):
        raise CheckpointError(f"{place / METRICS}: results: expected an object")
    return Checkpoint(config, _weights(place / WEIGHTS, config), read_provenance(place), results)


def read_config(path: Path) -> ModelConfig:
    """Read a ``config.json``.

    Raises:
        CheckpointError: If it is of a newer format, or does not describe a model.
    """
    values = _read_json(path)
    version = values.pop("format_version", None)
    if version != FORMAT_VERSION:
        raise CheckpointError(
            f"{path}: expected format_version {FORMAT_VERSION}, got {version!r}; "
            "a newer fcattn wrote it: pip install --upgrade fcattn"
        )
    try:
        return ModelConfig.from_dict(values)
    except ConfigError as error:
        raise CheckpointError(f"{path}: {error}") from None


def read_provenance(folder: Path) -> Provenance:
    """Where the weights of a checkpoint folder come from."""
    return Provenance.from_dict(_read_json(folder / METRICS).get("provenance", {}))


def largest_weights(config: ModelConfig) -> int:
    """Bytes that the weights of a model can have on disk."""
    weights = expected_weights(config).values()
    return HEADER + sum(weight.numel() * weight.element_size() for weight in weights)


def _weights(path: Path, config: ModelConfig) -> dict[str, Tensor]:
    """Tensors of a safetensors file, after its names, shapes and types have been checked."""
    expected, most = expected_weights(config), largest_weights(config)
    if path.stat().st_size > most:
        raise CheckpointError(
            f"{path}: {path.stat().st_size} bytes, expected at most {most} for this config"
        )
    try:
        with safe_open(path, framework="pt") as file:
            found = set(file.keys())
            _compare(path, set(expected), found)
            for name, like in expected.items():
                shape = tuple(file.get_slice(name).get_shape())
                if shape != tuple(like.shape):
                    raise CheckpointError(
                        f"{path}: {name}: expected shape {tuple(like.shape)}, got {shape}"
                    )
            weights = {name: file.get_tensor(name) for name in expected}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: not a whole safetensors file ({error})") from None
    for name, tensor in weights.items():
        if tensor.dtype != expected[name].dtype:
            raise CheckpointError(
                f"{path}: {name}: expected {expected[name].dtype}, got {tensor.dtype}"
            )
        if not torch.isfinite(tensor).all():
            raise CheckpointError(f"{path}: {name} holds NaN or infinite values")
    return weights


def expected_weights(config: ModelConfig) -> dict[str, Tensor]:
    """Names, shapes and types of a model's weights, without memory for them."""
    with torch.device("meta"):
        return EmotionNetwork(config).state_dict()


def _compare(path: Path, expected: set[str], found: set[str]) -> None:
    for names, word in ((expected - found, "missing"), (found - expected, "not of this model")):
        if names:
            first = sorted(names)
            more = f" and {len(first) - 3} more" if len(first) > 3 else ""
            raise CheckpointError(f"{path}: weights {word}: {', '.join(first[:3])}{more}")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST[path.name]:
            raise ValueError(f"{path.stat().st_size} bytes, at most {LARGEST[path.name]}")
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise CheckpointError(f"{path}: not JSON ({error})") from None
    if not isinstance(values, dict):
        raise CheckpointError(f"{path}: expected an object, got {type(values).__name__}")
    return values


def _write(path: Path, text: str) -> None:
    path.write_text(text + "\n", encoding="utf-8")
