"""Speech emotion recognition with Focus- and Calibration-Attention, and weights that load by name.

Example:
    >>> import fcattn
    >>> "fa-ca-ravdess" in fcattn.list_models()
    True
"""

from importlib.metadata import version

from fcattn.classifier import EmotionClassifier
from fcattn.config import ModelConfig
from fcattn.hub import list_models
from fcattn.prediction import Prediction

__version__ = version("fcattn")
from_pretrained = EmotionClassifier.from_pretrained

__all__ = [
    "EmotionClassifier",
    "ModelConfig",
    "Prediction",
    "__version__",
    "from_pretrained",
    "list_models",
]
