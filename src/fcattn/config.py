"""What a model is, as plain data: frozen dataclasses that become JSON and come back strictly."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args, get_type_hints

from fcattn.errors import ConfigError

LABELS = (
    "angry",
    "bored",
    "calm",
    "disgusted",
    "fearful",
    "happy",
    "neutral",
    "sad",
    "surprised",
)
"""The class names of the open corpora; other names (IEMOCAP's ``frustrated``) are possible."""

ATTENTIONS = ("mhsa", "fa", "fa_ca")
"""Plain self-attention, with Focus-Attention, with Focus- and Calibration-Attention."""

LARGEST_SIZE = 8_192
"""Of any layer: a config from elsewhere must not take all memory."""

FORMAT_VERSION = 1
"""Version of the checkpoint folder; a newer one is refused."""


@dataclass(frozen=True)
class FeatureConfig:
    """Log-mel settings.

    Args:
        sample_rate_hz: Rate that the waveform must have.
        window_ms: Length of the analysis window.
        hop_ms: Step from one frame to the next.
        mel_bands: Number of bands.
        low_hz: Lower edge of the lowest band.
        high_hz: Upper edge of the highest band.
        top_db: If given, levels count from the utterance's loudest band and frame, and nothing
            lies further below it: for corpora and recordings whose level says nothing.
    """

    sample_rate_hz: int = 16_000
    window_ms: float = 25.0
    hop_ms: float = 10.0
    mel_bands: int = 64
    low_hz: float = 50.0
    high_hz: float = 7_600.0
    top_db: float | None = None

    def __post_init__(self) -> None:
        """Refuse settings that no filter bank can be made of."""
        _require(
            0 < self.hop_ms <= self.window_ms, "features.hop_ms must be above 0 and ≤ window_ms"
        )
        _require(
            self.mel_bands % 16 == 0 and 0 < self.mel_bands <= 512,
            "features.mel_bands: 16, 32, 48 … 512",
        )
        _require(self.sample_rate_hz <= 192_000, "features.sample_rate_hz: at most 192000")
        _require(self.window_ms <= 1_000, "features.window_ms: at most 1000")
        _require(
            0 <= self.low_hz < self.high_hz <= self.sample_rate_hz / 2,
            "features: expected 0 ≤ low_hz < high_hz ≤ sample_rate_hz / 2",
        )
        _require(self.top_db is None or self.top_db > 0, "features.top_db: above 0, or null")

    @property
    def window(self) -> int:
        """Length of the analysis window in samples."""
        return round(self.sample_rate_hz * self.window_ms / 1000)

    @property
    def hop(self) -> int:
        """Step between frames in samples."""
        return round(self.sample_rate_hz * self.hop_ms / 1000)


@dataclass(frozen=True)
class NetworkConfig:
    """Size of the network between the log-mel frames and the logits.

    Args:
        stem_channels: Channels of the four convolutions of the stem.
        width: Size of a frame inside the attention blocks.
        heads: Attention heads; divides ``width``.
        blocks: Attention blocks.
        feedforward: Hidden size of each block's feed-forward part.
        dropout: Share of activations dropped in training.
        narrowest_focus: Smallest width of a focus (``s_min``), as a share of the utterance.
    """

    stem_channels: tuple[int, int, int, int] = (32, 48, 64, 96)
    width: int = 128
    heads: int = 4
    blocks: int = 2
    feedforward: int = 256
    dropout: float = 0.2
    narrowest_focus: float = 0.05

    def __post_init__(self) -> None:
        """Refuse sizes that do not fit each other."""
        sizes = (self.width, self.heads, self.blocks, self.feedforward, *self.stem_channels)
        _require(
            min(sizes) > 0 and max(sizes) <= LARGEST_SIZE,
            f"network: every size must be above 0 and at most {LARGEST_SIZE}",
        )
        _require(self.blocks <= 64, "network.blocks: at most 64")
        _require(self.width % self.heads == 0, "network.heads must divide network.width")
        _require(0 <= self.dropout < 1, "network.dropout must lie in [0, 1)")
        _require(0 < self.narrowest_focus < 1, "network.narrowest_focus must lie in (0, 1)")


@dataclass(frozen=True)
class ModelConfig:
    """A whole model: what it hears, how it attends and what it answers.

    Args:
        labels: Class names in the order of the logits.
        attention: ``mhsa``, ``fa`` or ``fa_ca``.
        features: Log-mel settings.
        network: Sizes.
        segment_s: Score overlapping segments of this length and average them; ``None``: whole clip.
        segment_hop_s: Step between segments.
        temperature: Divides the logits before the softmax; fitted on validation speakers.

    Example:
        >>> config = ModelConfig(labels=("angry", "sad"), attention="fa")
        >>> ModelConfig.from_dict(config.to_dict()) == config
        True
    """

    labels: tuple[str, ...]
    attention: str = "fa_ca"
    features: FeatureConfig = field(default_factory=FeatureConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    segment_s: float | None = None
    segment_hop_s: float = 1.0
    temperature: float = 1.0

    def __post_init__(self) -> None:
        """Refuse labels, attention or numbers that make no model."""
        _require(len(self.labels) >= 2, "labels: expected at least two class names")
        _require(len(self.labels) <= 1_000, "labels: at most 1000")
        _require(len(set(self.labels)) == len(self.labels), "labels: a class name occurs twice")
        _require(self.attention in ATTENTIONS, f"attention: expected one of {ATTENTIONS}")
        _require(self.segment_s is None or self.segment_s > 0, "segment_s must be above 0 or null")
        _require(self.segment_hop_s > 0, "segment_hop_s must be above 0")
        _require(
            self.temperature > 0 and math.isfinite(self.temperature), "temperature must be above 0"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; tuples become lists."""
        return dataclasses.asdict(self, dict_factory=lambda pairs: {k: _plain(v) for k, v in pairs})

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ModelConfig:
        """Build from plain data.

        Raises:
            ConfigError: If a key is unknown or missing, or a value has the wrong type or range.
        """
        config: ModelConfig = _build(cls, values, "")
        return config


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _require(true: bool, message: str) -> None:
    if not true:
        raise ConfigError(message)


def _build(cls: type[Any], values: Any, where: str) -> Any:
    """Make a dataclass of a mapping; every key known, every value of its declared type."""
    _require(isinstance(values, Mapping), f"{where or 'config'}: expected an object")
    hints = get_type_hints(cls)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise ConfigError(f"unknown key {where}{unknown[0]!r}; known keys: {', '.join(hints)}")
    try:
        return cls(**{key: _read(hints[key], values[key], where + key) for key in values})
    except TypeError as error:
        raise ConfigError(f"{where or 'config'}: {error}") from None


def _read(hint: Any, value: Any, where: str) -> Any:
    """Check one value against its type hint: a number, a name, a tuple, or a nested dataclass."""
    if dataclasses.is_dataclass(hint):
        return _build(hint, value, where + ".")  # type: ignore[arg-type]
    choices = get_args(hint)
    if type(None) in choices:
        return None if value is None else _read(choices[0], value, where)
    if choices:  # a tuple
        _require(isinstance(value, list | tuple), f"{where}: expected a list, got {value!r}")
        _require(
            choices[-1] is ... or len(choices) == len(value),
            f"{where}: expected {len(choices)} values, got {len(value)}",
        )
        return tuple(_read(choices[0], item, where) for item in value)
    kinds = (int, float) if hint is float else (hint,)
    right = isinstance(value, kinds) and not isinstance(value, bool)
    _require(right, f"{where}: expected {hint.__name__}, got {value!r}")
    return hint(value)
