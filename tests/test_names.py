"""Names of models: what they resolve to, and that nobody is misled."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import fcattn
from conftest import untrained
from fcattn import hub, zoo
from fcattn.errors import ProvenanceWarning, UnknownModelError
from fcattn.provenance import Provenance


def test_an_unknown_name_is_an_error_that_lists_what_works() -> None:
    with pytest.raises(UnknownModelError, match=r"did you mean 'fa-ca-ravdess'.*fa-ca-open4"):
        fcattn.from_pretrained("fa-ca-ravdes")


def test_list_models_takes_a_pattern() -> None:
    assert "fa-ca-open4" in fcattn.list_models()
    assert all("ravdess" in name for name in fcattn.list_models("*ravdess*"))
    assert fcattn.list_models("nothing*") == []


def test_iemocap_warns_once_and_says_what_was_loaded() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = fcattn.from_pretrained("fa-ca-iemocap")
    [warning] = caught
    assert warning.category is ProvenanceWarning
    assert warning.filename == __file__
    text = str(warning.message)
    for words in ("fa-ca-open4", "RAVDESS, EmoDB, nEMO", "not on IEMOCAP", "fcattn fit --config"):
        assert words in text
    assert model.provenance.name == "fa-ca-open4"
    assert "IEMOCAP" not in model.provenance.corpora


def test_iemocap_strict_is_an_error() -> None:
    with pytest.raises(UnknownModelError, match="not on IEMOCAP"):
        fcattn.from_pretrained("fa-ca-iemocap", strict=True)


def test_real_iemocap_weights_come_before_the_substitute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    real = untrained()
    real.provenance = Provenance("fa-ca-iemocap", corpora=("IEMOCAP",))
    real.save_pretrained(hub.LOCAL / "fa-ca-iemocap")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fcattn.from_pretrained("fa-ca-iemocap", strict=True).provenance == real.provenance


@pytest.mark.parametrize("name", [one.name for one in zoo.RECORDS])
def test_every_record_with_weights_tells_the_truth(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = fcattn.from_pretrained(name)
    record = next(one for one in zoo.RECORDS if one.name == name)
    assert model.provenance.name == (record.substitute or name)
    assert model.provenance.licence
    assert model.results["validation"]["UA"]["value"] > 0
    assert sum(weight.numel() for weight in model.parameters()) < 2e6
    folder = hub.bundled() / model.provenance.name
    assert (folder / "model.safetensors").stat().st_size < 8e6
    said = model.provenance
    assert not set(said.trained_on) & {*said.validated_on, *said.tested_on}
    card = (folder / "README.md").read_text()
    assert f"{100 * model.results['validation']['UA']['value']:.1f} %" in card
    assert f"license: {said.licence}" in card


def run_python(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


def test_using_a_model_needs_no_lightning_and_no_network(wav: Path) -> None:
    program = f"""
import socket, sys
def refuse(*a, **k): raise OSError("no network here")
socket.socket.connect = socket.getaddrinfo = refuse
import fcattn
print(fcattn.from_pretrained("fa-ca-ravdess").predict({str(wav)!r}).label)
loaded = {{"lightning", "torchmetrics", "matplotlib", "jsonargparse"}} & set(sys.modules)
assert not loaded, loaded
"""
    done = run_python(program)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
