"""Export to ONNX: waveform in, scores and received attention out, checked before it is written."""

from __future__ import annotations

import json
import logging
import math
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from fcattn.errors import DependencyError, FcattnError
from fcattn.features import LogMel
from fcattn.model import EmotionNetwork
from fcattn.onnx_classifier import OnnxClassifier
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


class ExportNetwork(nn.Module):
    """The network with the Fourier transform written as products, which every runtime has.

    A periodic Hann window is symmetric, ``w[n] = w[N - n]``, and a shift in time leaves power as it
    is. Seen from its middle, the sums of opposite samples meet cosines alone and their differences
    meet sines alone, which halves the work.

    Args:
        network: In eval mode.
    """

    cosines: Tensor
    sines: Tensor

    def __init__(self, network: EmotionNetwork) -> None:
        super().__init__()
        self.network = network
        cosines, sines = _fourier_basis(network.features)
        self.register_buffer("cosines", cosines)
        self.register_buffer("sines", sines)

    def forward(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (B, classes) and received attention (B, T)."""
        features = self.network.features
        power = self._power(features.audible(waveform, lengths))
        frames, frame_lengths = features.normalise(*features.to_db(power, lengths))
        seen = self.network.inspect_frames(frames, frame_lengths)
        scores = torch.softmax(seen.logits / self.network.config.temperature, dim=1)
        return scores, seen.blocks[-1].received.mean(dim=1)

    def _power(self, waveform: Tensor) -> Tensor:
        """Power spectrum (B, T, bins) of (B, samples)."""
        frames = self._frames(waveform)
        half = frames.shape[2] // 2
        before, after = frames[..., 1 : half + 1], frames[..., -half:].flip(-1)
        real, imaginary = (before + after) @ self.cosines, (before - after) @ self.sines
        return real * real + imaginary * imaginary

    def _frames(self, waveform: Tensor) -> Tensor:
        """Overlapping windows (B, T, window), put together from rows that hop and window share."""
        window, hop = self.network.features.config.window, self.network.features.config.hop
        row = math.gcd(window, hop)
        padded = nn.functional.pad(waveform, (window // 2, window // 2 + row))
        rows = padded[:, : padded.shape[1] // row * row].reshape(waveform.shape[0], -1, row)
        starts = torch.arange(waveform.shape[1] // hop + 1, device=waveform.device) * (hop // row)
        places = starts[:, None] + torch.arange(window // row, device=waveform.device)
        picked = rows.index_select(1, places.flatten())
        return picked.reshape(waveform.shape[0], starts.shape[0], window)


def _fourier_basis(features: LogMel) -> tuple[Tensor, Tensor]:
    """Windowed cosines and sines, (window / 2, bins) each, of samples 1, 2, … of the window."""
    window = features.config.window
    sample = torch.arange(1, window // 2 + 1, dtype=torch.float64)
    share = features.window[1 : window // 2 + 1].double()
    share = torch.where(2 * sample == window, share / 2, share)  # the middle is its own opposite
    bins = torch.arange(features.fft_size // 2 + 1, dtype=torch.float64)
    angle = 2 * torch.pi * (sample - window / 2)[:, None] * bins / features.fft_size
    return (share[:, None] * angle.cos()).float(), (share[:, None] * angle.sin()).float()


def _write_graph(model: EmotionNetwork, path: Path) -> None:
    batch, samples = torch.export.Dim("batch", min=1), torch.export.Dim("samples", min=2)
    example = (torch.zeros(2, 16_000), torch.tensor([16_000, 9_000]))
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                ExportNetwork(model).eval(),
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
    logging.getLogger().setLevel(logging.ERROR)  # it advises what does not apply here
    whole = path.with_name("float32.onnx")
    path.replace(whole)
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

    exact = ("cosines", "sines", "network.features.")
    nodes = onnx.load(path, load_external_data=False).graph.node
    return [node.name for node in nodes if any(name.startswith(exact) for name in node.input)]


def _missing(error: Exception) -> DependencyError:
    return DependencyError(f"ONNX needs more packages ({error}): pip install 'fcattn[onnx]'")
