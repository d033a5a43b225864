"""What eight bits cost: ``python -m bench.int8 RAVDESS`` writes ``int8.json``; needs the corpus."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

import fcattn
from fcattn.data import RAVDESS
from fcattn.data.utterance import Utterance
from fcattn.export import export
from fcattn.listener import Listener
from fcattn.metrics import confusion_matrix, unweighted_accuracy

HOME = Path(__file__).parent
NAME = "fa-ca-ravdess"
MOST_POINTS = 1.0
"""Loss of UA beyond which eight bits are not recommended."""


def main(root: str) -> None:
    """UA of a released model and of its two exports, on speakers it was not trained on."""
    model = fcattn.from_pretrained(NAME)
    unseen = set(model.provenance.validated_on)
    clips = [one for one in RAVDESS(root).utterances() if one.speaker in unseen]
    found = {"torch": _ua(model, clips)}
    with tempfile.TemporaryDirectory() as home:
        for int8, name in ((False, "onnx"), (True, "int8")):
            path = Path(home) / f"{name}.onnx"
            export(model, path, int8)
            found[name] = _ua(fcattn.OnnxClassifier(path), clips)
    loss = 100 * (found["torch"] - found["int8"])
    about = {
        "model": NAME,
        "speakers": sorted(unseen),
        "clips": len(clips),
        "UA": found,
        "int8_loss_points": loss,
        "met": loss <= MOST_POINTS,
    }
    (HOME / "int8.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    Console().print_json(data=about)


def _ua(model: Listener, clips: Sequence[Utterance]) -> float:
    guesses = model.predict([one.path for one in clips])
    truth = [model.labels.index(one.label) for one in clips]
    predicted = [model.labels.index(one.label) for one in guesses]
    return unweighted_accuracy(confusion_matrix(truth, predicted, len(model.labels)))


if __name__ == "__main__":
    main(sys.argv[1])
