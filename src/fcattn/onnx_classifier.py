"""A model in ONNX: answers as the trained one does, without torch."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fcattn import audio
from fcattn.audio import Waveform
from fcattn.errors import CheckpointError, DependencyError
from fcattn.listener import Listener


class OnnxScorer:
    """An ONNX file that ``fcattn export`` wrote, as a ``Scorer``.

    Args:
        path: The file.
        threads: CPU threads; 0 takes what the machine has.
    """

    def __init__(self, path: str | Path, threads: int = 0) -> None:
        self.session, self.scores_only = _open(Path(path), threads)
        about = self.session.get_modelmeta().custom_metadata_map
        if not {"labels", "sample_rate_hz"} <= set(about):
            raise CheckpointError(
                f"{path}: expected an ONNX file that fcattn export wrote, with labels and "
                f"sample_rate_hz in its metadata; got {', '.join(about) or 'none'}"
            )
        self.labels: tuple[str, ...] = tuple(json.loads(about["labels"]))
        self.rate_hz = int(about["sample_rate_hz"])
        seconds = json.loads(about.get("segment_s", "null"))
        self.segment = None if seconds is None else round(seconds * self.rate_hz)
        self.hop = round(json.loads(about.get("segment_hop_s", "1.0")) * self.rate_hz)

    def scores(self, waveforms: Sequence[Waveform]) -> list[list[float]]:
        """Probabilities of each waveform, or the mean over its segments."""
        if self.segment is None:
            rows: list[list[float]] = self._run(waveforms).tolist()
            return rows
        cut = [audio.segments(one, self.segment, self.hop) for one in waveforms]
        found = self._run([part for parts in cut for part in parts])
        ends = np.cumsum([len(parts) for parts in cut])
        return [part.mean(axis=0).tolist() for part in np.split(found, ends[:-1])]

    def _run(self, waveforms: Sequence[Waveform]) -> NDArray[np.float32]:
        """Probabilities (waveforms, classes)."""
        padded, lengths = audio.batch(waveforms)
        if (
            padded.shape[1] == 1
        ):  # the graph wants two samples; the second is silence beyond the end
            padded = np.pad(padded, ((0, 0), (0, 1)))
        inputs = {"waveform": padded, "lengths": lengths}
        [found] = self.session.run(["scores"], inputs, self.scores_only)
        scores: NDArray[np.float32] = found
        return scores


class OnnxClassifier(Listener):
    """A model in ONNX with the face of ``EmotionClassifier``: ``predict``, ``stream``.

    Args:
        path: File that ``fcattn export`` wrote.
        threads: CPU threads; 0 takes what the machine has.

    Raises:
        DependencyError: If onnxruntime is not installed.
        CheckpointError: If the file is no such export.
    """

    def __init__(self, path: str | Path, threads: int = 0) -> None:
        self._scorer = OnnxScorer(path, threads)

    @property
    def scorer(self) -> OnnxScorer:
        """What answers."""
        return self._scorer


def _open(path: Path, threads: int) -> tuple[Any, Any]:
    """A session, and the option to compute no more of the graph than is asked for."""
    try:
        import onnxruntime
    except ImportError:
        raise DependencyError(
            "models in ONNX need onnxruntime: pip install 'fcattn[onnx]', or onnxruntime alone"
        ) from None
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file; fcattn export NAME --onnx FILE writes one")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    run_options = onnxruntime.RunOptions()
    run_options.only_execute_path_to_fetches = True
    try:
        session = onnxruntime.InferenceSession(
            os.fspath(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime has no common base for its errors
        raise CheckpointError(f"{path}: not an ONNX file that can be read ({error})") from None
    return session, run_options
