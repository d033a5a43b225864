"""Speech emotion recognition with Focus- and Calibration-Attention, and weights that load by name.

Example:
    >>> import fcattn
    >>> "fa-ca-ravdess" in fcattn.list_models()
    True
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fcattn.classifier import EmotionClassifier, from_pretrained
    from fcattn.config import ModelConfig
    from fcattn.hub import list_models
    from fcattn.onnx_classifier import OnnxClassifier
    from fcattn.prediction import Prediction

__version__ = version("fcattn")

__all__ = [
    "EmotionClassifier",
    "ModelConfig",
    "OnnxClassifier",
    "Prediction",
    "__version__",
    "from_pretrained",
    "list_models",
]

_HOMES = {
    "EmotionClassifier": "classifier",
    "ModelConfig": "config",
    "OnnxClassifier": "onnx_classifier",
    "Prediction": "prediction",
    "from_pretrained": "classifier",
    "list_models": "hub",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: a model in ONNX needs no torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'fcattn' has no attribute {name!r}")
    return getattr(import_module(f"fcattn.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
