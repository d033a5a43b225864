"""A corpus made on the fly, for tests: tones whose level and pitch depend on the class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from fcattn.audio import Waveform
from fcattn.data.utterance import Utterance, find_root, sound_files

DEFAULT_LABELS = ("angry", "happy", "neutral", "sad")
RATE_HZ = 16_000
SPEAKERS = ("01", "02", "03", "04", "05", "06")


def tone(place: int, count: int, seed: int) -> Waveform:
    """A tone of 0.6 to 1.4 s with a burst; pitch and level rise with the class.

    Args:
        place: Place of the class among the classes.
        count: Number of classes.
        seed: Chooses length, burst and detuning.

    Returns:
        (samples,) at 16 kHz.
    """
    dice = np.random.default_rng(seed)
    share = (place + 0.5) / count
    time_s = np.arange(int(RATE_HZ * dice.uniform(0.6, 1.4))) / RATE_HZ
    pitch_hz = 150 * 8**share * dice.uniform(0.95, 1.05)
    burst = np.exp(-(((time_s / time_s[-1] - dice.uniform(0.2, 0.8)) / 0.15) ** 2))
    level = 10 ** ((-40 + 30 * share + dice.uniform(-2, 2)) / 20)
    voice = sum(np.sin(2 * np.pi * pitch_hz * k * time_s) / k for k in (1, 2, 3))
    hiss = 1e-3 * dice.standard_normal(len(time_s))
    return np.asarray(level * (0.2 + burst) * voice / 2 + hiss, dtype=np.float32)


def write(root: str | Path, labels: Sequence[str] = DEFAULT_LABELS, clips: int = 4) -> None:
    """Write ``SPEAKER/LABEL_N.wav`` for six speakers, unless the folder is there.

    Args:
        root: Where to.
        labels: Classes.
        clips: Of each class and speaker.
    """
    folder = Path(root)
    if folder.is_dir() and any(folder.iterdir()):
        return
    for number, speaker in enumerate(SPEAKERS):
        (folder / speaker).mkdir(parents=True)
        for place, label in enumerate(labels):
            for clip in range(clips):
                samples = tone(place, len(labels), (number * 100 + place) * 100 + clip)
                soundfile.write(folder / speaker / f"{label}_{clip}.wav", samples, RATE_HZ)


def read(root: str | Path) -> list[Utterance]:
    """Read what ``write`` wrote.

    Raises:
        CorpusError: If nothing of it is there.
    """
    folder = find_root(root, ["[0-9][0-9]/*_[0-9].wav"], "synthetic tones")
    return [
        Utterance(
            id=f"{path.parent.name}_{path.stem}",
            path=path,
            speaker=path.parent.name,
            label=path.stem.rpartition("_")[0],
        )
        for path in sound_files(folder, "[0-9][0-9]/*_*")
    ]
