"""A model in ONNX says what the model says, and needs no torch to say it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from conftest import LABELS, SMALL, noise, untrained
from fcattn import OnnxClassifier, from_pretrained
from fcattn.cli import main
from fcattn.config import FeatureConfig, ModelConfig
from fcattn.errors import CheckpointError, FcattnError
from fcattn.model import EmotionNetwork
from fcattn.portable import PortableNetwork
from fcattn.sources import Source

pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")
from fcattn import export as exporting

EXAMPLE = Path(__file__).parents[1] / "examples" / "onnx_without_torch.py"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("onnx") / "small.onnx"
    difference = exporting.export(untrained(), path)
    assert difference < 1e-5
    return path


@pytest.fixture
def same() -> object:
    torch.manual_seed(0)
    return untrained()


@pytest.mark.parametrize("samples", [1, 160, 16_123, 70_000])
def test_an_export_says_what_the_model_says(exported: Path, same: object, samples: int) -> None:
    clip = noise(samples)
    found = OnnxClassifier(exported).predict(clip, 16_000)
    expected = same.predict(clip, 16_000)
    assert found.label == expected.label
    assert found.scores == pytest.approx(expected.scores, abs=1e-5)


def test_padding_does_not_change_the_scores_of_an_export(exported: Path) -> None:
    model = OnnxClassifier(exported)
    clips = [noise(samples, samples) for samples in (400, 9_000, 31_000)]
    for clip, found in zip(clips, model.predict(clips, 16_000), strict=True):
        assert found.scores == pytest.approx(model.predict(clip, 16_000).scores, abs=1e-5)


def test_an_export_gives_the_received_attention(exported: Path, same: object) -> None:
    clip = noise(20_000)
    session = OnnxClassifier(exported).scorer.session
    [received] = session.run(["received"], {"waveform": clip[None], "lengths": np.array([20_000])})
    seen = same.inspect(torch.from_numpy(clip)[None], torch.tensor([20_000]))
    expected = seen.blocks[-1].received.mean(dim=1).detach().numpy()
    np.testing.assert_allclose(received, expected, atol=1e-6)


def test_levels_below_the_loudest_export_too(tmp_path: Path) -> None:
    model = untrained("fa", features=FeatureConfig(top_db=40.0))
    assert exporting.export(model, tmp_path / "top.onnx") < 1e-5
    clip = noise(9_000)
    assert model.predict(clip / 20, 16_000).scores == pytest.approx(
        model.predict(clip, 16_000).scores, abs=1e-4
    )


def test_segments_are_averaged_without_torch_too(tmp_path: Path) -> None:
    model = untrained("mhsa", segment_s=1.0, segment_hop_s=0.3)
    assert exporting.export(model, tmp_path / "segments.onnx") < 1e-5


def test_a_wrong_export_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "compare", lambda model, path: 0.2)
    with pytest.raises(FcattnError, match="differs from the model by"):
        exporting.export(untrained("mhsa"), tmp_path / "wrong.onnx")
    assert list(tmp_path.iterdir()) == []


def test_int8_is_smaller_and_hears_the_same(tmp_path: Path) -> None:
    model = from_pretrained("fa-ca-ravdess")
    for int8 in (False, True):
        exporting.export(model, tmp_path / f"{int8}.onnx", int8)
    sizes = [(tmp_path / f"{int8}.onnx").stat().st_size for int8 in (False, True)]
    assert sizes[1] < 0.8 * sizes[0]
    clips: list[Source] = sorted((Path(__file__).parent / "clips").glob("*.flac"))
    found = OnnxClassifier(tmp_path / "True.onnx").predict(clips)
    for one, expected in zip(found, model.predict(clips), strict=True):
        assert one.label == expected.label
        assert one.scores == pytest.approx(expected.scores, abs=0.05)


def test_an_export_leaves_the_log_levels_of_a_program_alone(tmp_path: Path) -> None:
    speakers = [logging.getLogger(), logging.getLogger("torch.onnx")]
    before = [speaker.level for speaker in speakers]
    exporting.export(untrained(), tmp_path / "small.onnx", int8=True)
    assert [speaker.level for speaker in speakers] == before


def test_a_file_that_is_no_export_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_text("no graph")
    with pytest.raises(CheckpointError, match="not an ONNX file"):
        OnnxClassifier(tmp_path / "a.onnx")
    with pytest.raises(CheckpointError, match="no such file"):
        OnnxClassifier(tmp_path / "b.onnx")


def without_torch(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a script or module in a Python that has no torch."""
    program = (
        "import runpy, sys; sys.modules['torch'] = None\n"
        f"sys.argv = {list(words)!r}\n"
        "run = runpy.run_path if sys.argv[0].endswith('.py') else runpy.run_module\n"
        "run(sys.argv[0], run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


def test_predict_runs_an_export_without_torch(exported: Path, wav: Path, same: object) -> None:
    done = without_torch(
        "fcattn", "predict", str(wav), "--onnx", str(exported), "--format", "jsonl"
    )
    assert done.returncode == 0, done.stderr
    scores = json.loads(done.stdout)["scores"]
    assert scores == pytest.approx(same.predict(wav).scores, abs=1e-5)


def test_the_example_runs_without_torch_and_fcattn(exported: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "clip.wav", noise(16_000), 16_000)
    done = without_torch(str(EXAMPLE), str(exported), str(tmp_path / "clip.wav"))
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in LABELS)
    text = EXAMPLE.read_text()
    assert "fcattn" not in "".join(line for line in text.splitlines() if "import" in line)


def test_the_cli_exports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    untrained().save_pretrained(tmp_path / "small")
    out = tmp_path / "new" / "small.onnx"
    assert main(["export", str(tmp_path / "small"), "--onnx", str(out)]) == 0
    assert "largest difference" in capsys.readouterr().out
    assert [path.name for path in out.parent.iterdir()] == ["small.onnx"]


@pytest.mark.parametrize(("rate_hz", "window_ms"), [(16_000, 25), (22_050, 25), (16_000, 32)])
def test_the_portable_spectrum_is_the_models_for_even_and_odd_windows(
    rate_hz: int, window_ms: float
) -> None:
    """Of 400, 551 and 512 samples."""
    features = FeatureConfig(sample_rate_hz=rate_hz, window_ms=window_ms)
    network = EmotionNetwork(ModelConfig(LABELS, features=features, network=SMALL)).eval()
    waveform = torch.from_numpy(noise(2 * rate_hz)).view(2, -1)
    lengths = torch.tensor([rate_hz, rate_hz // 2])
    expected, _ = network.features.level_db(waveform, lengths)
    portable = PortableNetwork(network)
    power = portable._power(network.features.audible(waveform, lengths)) @ portable.bank
    found, _ = network.features.to_db(power, lengths)
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)
