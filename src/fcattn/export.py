"""Export to ONNX: waveform in, scores and received attention out, checked before it is written."""

from __future__ import annotations

import json
import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from fcattn.errors import DependencyError, FcattnError
from fcattn.model import EmotionNetwork
from fcattn.onnx_classifier import OnnxClassifier
from fcattn.portable import PortableNetwork
from fcattn.scores import NetworkScorer

if TYPE_CHECKING:
    from fcattn.classifier import EmotionClassifier

CHECKED_S = (0.05, 0.5, 1.0, 2.7, 4.0, 9.3)
"""Lengths that the export is compared with the model on, alone and in one padded batch."""

TOLERANCE = 1e-4
"""Largest difference of a score in float32."""

OPSET = 18


def export(model: EmotionClassifier, path: Path, int8: bool = False) -> float:
    """Write a model as ONNX.

    The graph takes ``waveform`` (batch, samples) float32 and ``lengths`` (batch,) int64 in samples,
    of any batch and length, and gives ``scores`` (batch, classes) and ``received`` (batch, T): the
    attention that each frame of the last block receives, mean over heads. Labels, sample rate,
    provenance and the length of segments are in its metadata; a model that averages segments does
    so outside of the graph.

    Args:
        model: What to write.
        path: Where to.
        int8: True stores the weights of the network's linear maps in eight bits.

    Returns:
        The largest difference of a score between model and file.

    Raises:
        DependencyError: If onnx, onnxscript or onnxruntime is not installed.
        FcattnError: If the file would not say what the model says; nothing is written then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as home:
        partial = Path(home) / "model.onnx"
        _write_graph(model, partial)
        _write_metadata(model, partial)
        if int8:
            _quantize(partial)
        difference = compare(model, partial)
        if difference > TOLERANCE and not int8:
            raise FcattnError(
                f"the export differs from the model by {difference:.1e}, more than {TOLERANCE:.0e}"
            )
        partial.replace(path)
    return difference


def compare(model: EmotionNetwork, path: Path) -> float:
    """Largest difference of a score between a model and its export, over several lengths."""
    ours, theirs = NetworkScorer(model), OnnxClassifier(path).scorer
    dice = np.random.default_rng(0)
    clips = [
        (0.1 * dice.standard_normal(round(seconds * ours.rate_hz))).astype(np.float32)
        for seconds in CHECKED_S
    ]
    trials = [clips, *([clip] for clip in clips)]
    gaps = [
        np.abs(np.array(ours.scores(trial)) - np.array(theirs.scores(trial))).max()
        for trial in trials
    ]
    return float(max(gaps))


def _write_graph(model: EmotionNetwork, path: Path) -> None:
    batch, samples = torch.export.Dim("batch", min=1), torch.export.Dim("samples", min=2)
    example = (torch.zeros(2, 16_000), torch.tensor([16_000, 9_000]))
    try:
        with _quiet("torch.onnx"), torch.no_grad():
            program = torch.onnx.export(
                PortableNetwork(model).eval(),
                example,
                dynamo=True,
                verbose=False,
                opset_version=OPSET,
                input_names=["waveform", "lengths"],
                output_names=["scores", "received"],
                dynamic_shapes={"waveform": {0: batch, 1: samples}, "lengths": {0: batch}},
            )
    except (ImportError, torch.onnx.errors.OnnxExporterError) as error:
        if isinstance(error, ImportError) or isinstance(error.__cause__, ImportError):
            raise _missing(error) from None
        raise
    assert program is not None  # as dynamo is True
    program.save(path)


def _write_metadata(model: EmotionClassifier, path: Path) -> None:
    try:
        import onnx
    except ImportError as error:
        raise _missing(error) from None
    graph = onnx.load(path)
    about = model.provenance
    onnx.helper.set_model_props(
        graph,
        {
            "labels": json.dumps(model.config.labels),
            "sample_rate_hz": str(model.config.features.sample_rate_hz),
            "segment_s": json.dumps(model.config.segment_s),
            "segment_hop_s": json.dumps(model.config.segment_hop_s),
            "name": about.name,
            "corpora": json.dumps(about.corpora),
            "licence": about.licence,
        },
    )
    onnx.save(graph, path)


def _quantize(path: Path) -> None:
    try:
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except ImportError as error:
        raise _missing(error) from None
    whole = path.with_name("float32.onnx")
    path.replace(whole)
    with _quiet(None):  # the root logger, which advises what does not apply here
        quantize_dynamic(
            whole,
            path,
            op_types_to_quantize=["MatMul", "Gemm"],
            nodes_to_exclude=_exact_products(whole),
            weight_type=QuantType.QInt8,
        )


def _exact_products(path: Path) -> list[str]:
    """Products that eight bits are too few for: spectra and mel bands span many decades."""
    import onnx

    exact = ("cosines", "sines", "bank")
    nodes = onnx.load(path, load_external_data=False).graph.node
    return [node.name for node in nodes if any(name.startswith(exact) for name in node.input)]


@contextmanager
def _quiet(logger: str | None) -> Iterator[None]:
    """No warnings and nothing below an error of this logger; afterwards all is as it was."""
    speaker = logging.getLogger(logger)
    level = speaker.level
    speaker.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        speaker.setLevel(level)


def _missing(error: Exception) -> DependencyError:
    return DependencyError(f"ONNX needs more packages ({error}): pip install 'fcattn[onnx]'")
