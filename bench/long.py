"""An hour of audio, and a live stream."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import torch

from bench.clips import RATE_HZ, speech_like
from bench.sides import Row, ms
from fcattn import EmotionClassifier

MEASURE = """
import sys, time
from pathlib import Path
import torch
from fcattn import EmotionClassifier, ModelConfig
torch.set_num_threads(1)
model = EmotionClassifier(ModelConfig(("angry", "happy", "neutral", "sad"))).eval()
model.predict(sys.argv[2])
begun = time.perf_counter()
model.predict(sys.argv[1], hop_s=1.0)
passed = time.perf_counter() - begun
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(passed, int(status["VmHWM"].split()[0]) / 1024)  # a child's ru_maxrss counts its parent, too
"""


def rows(model: EmotionClassifier) -> Iterator[Row]:
    """Time and memory of an hour over those of six minutes; cost of a live stream."""
    with tempfile.TemporaryDirectory() as folder:
        minute = speech_like(60)
        files = {}
        for minutes in (6, 60):
            files[minutes] = Path(folder) / f"{minutes}.wav"
            soundfile.write(files[minutes], np.tile(minute, minutes), RATE_HZ)
        short = Path(folder) / "short.wav"
        soundfile.write(short, speech_like(4), RATE_HZ)
        found: dict[int, list[tuple[float, float]]] = {6: [], 60: []}
        for _ in range(7):
            for minutes, file in files.items():
                found[minutes].append(_measure(file, short))
    times = {name: statistics.median(one[0] for one in each) for name, each in found.items()}
    peaks = {name: max(one[1] for one in each) for name, each in found.items()}
    ratio = times[60] / times[6]
    yield Row(
        "1 h of audio, timeline every second", "6 min of it", ms(times[60]), ms(times[6]), ratio,
        "9 to 11 ×", 9 <= ratio <= 11,
    )  # fmt: skip
    ratio = peaks[60] / peaks[6]
    yield Row(
        "1 h of audio, peak memory", "6 min of it", f"{peaks[60]:.0f} MB", f"{peaks[6]:.0f} MB",
        ratio, "≤ 1.3 ×, ≤ 1.5 GB", ratio <= 1.3 and peaks[60] <= 1536,
    )  # fmt: skip
    yield _stream(model)


def _measure(file: Path, short: Path) -> tuple[float, float]:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(file), str(short)],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, megabytes = map(float, done.stdout.split())
    return seconds, megabytes


def _stream(model: EmotionClassifier, seconds: int = 60) -> Row:
    """Processor time of a minute in chunks of 20 ms, 1 s hops over 3 s windows."""
    torch.set_num_threads(1)
    chunks = np.split(speech_like(seconds), seconds * 50)
    shares = []
    for _ in range(8):
        stream, begun = model.stream(RATE_HZ), time.process_time()
        for chunk in chunks:
            stream.push(chunk)
        shares.append((time.process_time() - begun) / seconds)
    share = statistics.median(shares[1:])
    return Row(
        "live stream, 1 s hops over 3 s windows", "real time", f"{share:.2%}", "100 %", share,
        "≤ 2 % of a core", share <= 0.02, "%",
    )  # fmt: skip
