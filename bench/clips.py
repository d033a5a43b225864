"""One clip from file to scores, and a folder of clips to a table."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
import torch

from bench.sides import Row, faster, medians_s, threads_of
from fcattn import EmotionClassifier, OnnxClassifier
from fcattn.export import export

RATE_HZ = 16_000


def speech_like(seconds: float, seed: int = 0, rate_hz: int = RATE_HZ) -> np.ndarray:
    """Noise whose level goes up and down like syllables (samples,)."""
    dice = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    syllables = 0.02 + 0.1 * np.sin(2 * np.pi * 2.2 * time_s + dice.uniform(0, 6)) ** 4
    return (syllables * dice.standard_normal(len(time_s))).astype(np.float32)


def rows(model: EmotionClassifier) -> Iterator[Row]:
    """All figures on short clips."""
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.wav"
        soundfile.write(clip, speech_like(4), RATE_HZ)
        yield from _one_clip(model, clip)
        yield from _exported(model, Path(folder))
        yield from _folder(model, Path(folder))


def _one_clip(model: EmotionClassifier, clip: Path) -> Iterator[Row]:
    from opensmile import FeatureLevel, FeatureSet, Smile
    from transformers import (
        Wav2Vec2Config,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForSequenceClassification,
        pipeline,
    )

    smile = Smile(FeatureSet.ComParE_2016, FeatureLevel.Functionals)
    network = Wav2Vec2ForSequenceClassification(Wav2Vec2Config(num_labels=8)).eval()
    pipe = pipeline(
        "audio-classification",
        model=network,
        feature_extractor=Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=False),
    )

    def wav2vec() -> object:
        samples, rate_hz = soundfile.read(clip, dtype="float32")
        return pipe({"raw": samples, "sampling_rate": rate_hz})

    for threads in (1, 2):
        torch.set_num_threads(threads)
        found = medians_s(
            {
                "fcattn": lambda: model.predict(clip),
                "opensmile": lambda: smile.process_file(clip),
                "wav2vec2": wav2vec,
            }
        )
        what = f"4 s clip, file to scores, {threads_of(threads)}"
        ours = found["fcattn"]
        yield faster(what, "openSMILE ComParE_2016 functionals", ours, found["opensmile"], 5)
        yield faster(what, "wav2vec2-base pipeline, random weights", ours, found["wav2vec2"], 60)
    torch.set_num_threads(1)


def _exported(model: EmotionClassifier, folder: Path) -> Iterator[Row]:
    samples = [speech_like(4)]
    for int8, name in ((False, "float32"), (True, "int8")):
        path = folder / f"{name}.onnx"
        export(model, path, int8)
        sides = {"onnx": OnnxClassifier(path, threads=1).scorer, "torch": model.scorer}
        found = medians_s({side: partial(scorer.scores, samples) for side, scorer in sides.items()})
        what = f"ONNX {name}, 4 s clip, 1 thread"
        yield faster(what, "torch", found["onnx"], found["torch"], 1.5)


def _folder(model: EmotionClassifier, folder: Path, count: int = 1000) -> Iterator[Row]:
    """Files of 0.6 to 6 s, as a list and one by one."""
    home = folder / "clips"
    home.mkdir()
    dice = np.random.default_rng(0)
    files = [home / f"{number:04}.wav" for number in range(count)]
    for number, file in enumerate(files):
        soundfile.write(file, speech_like(dice.uniform(0.6, 6), number), RATE_HZ)
    together: Callable[[], object] = lambda: list(model.predict_many(files))  # noqa: E731
    sides = {"together": together, "alone": lambda: [model.predict(file) for file in files]}
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found = medians_s(sides)
        what = f"{count} clips, folder to table, {threads_of(threads)}"
        yield faster(what, "one by one", found["together"], found["alone"], 2)
    torch.set_num_threads(1)
