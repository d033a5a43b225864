"""Weights travel whole: pushed, pulled, pinned, offline, against a hub on the loopback address.

huggingface_hub reads its settings when it is imported, so each step is a process of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conftest import untrained
from fcattn.checkpoint import FILES
from fcattn.cli import main
from fcattn.data import standin
from fcattn.provenance import Provenance
from loopback_hub import LoopbackHub

RECIPE = Path(__file__).parents[1] / "recipes" / "iemocap" / "fa_ca.yaml"
SMALL = [
    "--model.network.stem_channels=[4,4,8,8]",
    "--model.network.width=32",
    "--model.network.feedforward=32",
    "--trainer.accelerator=cpu",
    "--trainer.max_epochs=1",
    "--trainer.enable_progress_bar=false",
]
TOKEN = "hf_looptest"
ABOUT = Provenance(
    "fa-ca-mine",
    corpora=("RAVDESS",),
    languages=("en",),
    licence="cc-by-nc-sa-4.0",
    trained_on=("01",),
    validated_on=("17",),
)
FIGURE = {"value": 0.5, "low": 0.4, "high": 0.6}
RESULTS = {
    "validation": {
        "utterances": 8, "speakers": ["17"], "UA": FIGURE, "WA": FIGURE, "F1": FIGURE, "ECE": 0.1,
        "recall": {"angry": 0.5}, "confusion": [[1]], "caution": "Hopeful.",
    }
}  # fmt: skip
PREDICT = """
import sys, numpy as np, fcattn
model = fcattn.from_pretrained(*sys.argv[1:2], revision=(sys.argv[2:] or [None])[0])
clip = (0.1 * np.random.default_rng(0).standard_normal(16_000)).astype(np.float32)
print(sorted(model.predict(clip, 16_000).scores.items()))
"""


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    served = LoopbackHub()
    yield served
    served.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return saved(tmp_path / "fa-ca-mine", seed=0)


def saved(folder: Path, seed: int) -> Path:
    import torch

    torch.manual_seed(seed)
    model = untrained()
    model.provenance, model.results = ABOUT, RESULTS
    return model.save_pretrained(folder)


class Machine:
    """A computer with a cache of its own, that talks to one hub."""

    def __init__(self, home: Path, hub: LoopbackHub, **environment: str) -> None:
        self.home = home
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HF_")},
            "HF_ENDPOINT": hub.endpoint,
            "HF_HOME": str(home / "hf"),
            "HF_TOKEN": TOKEN,
            "OMP_NUM_THREADS": "1",
            **environment,
        }
        home.mkdir(exist_ok=True)

    def python(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            env={**self.environment, **more},
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
        )

    def fcattn(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return self.python("-m", "fcattn", *words, **more)

    def predict(self, *words: str, **more: str) -> str:
        done = self.python("-c", PREDICT, *words, **more)
        assert done.returncode == 0, done.stderr
        return done.stdout


def error_of(done: subprocess.CompletedProcess[str]) -> str:
    """The last line of a failed process, which must be one of our errors."""
    assert done.returncode != 0
    assert TOKEN not in done.stderr + done.stdout
    return done.stderr.strip()


def test_the_round_trip(hub: LoopbackHub, folder: Path, tmp_path: Path) -> None:
    here, there = Machine(tmp_path / "here", hub), Machine(tmp_path / "there", hub)
    said = here.predict(str(folder))
    pushed = here.fcattn("push", str(folder), "lab/mine", "--tag", "v1")
    assert pushed.returncode == 0, pushed.stderr
    assert 'revision="v1"' in pushed.stdout
    assert there.predict("lab/mine") == said, "bit-identical scores"

    newer = saved(tmp_path / "newer" / "fa-ca-mine", seed=1)
    assert here.fcattn("push", str(newer), "lab/mine").returncode == 0
    changed = there.predict("lab/mine")
    assert changed == here.predict(str(newer)) != said
    assert there.predict("lab/mine", "v1") == said
    assert there.predict("lab/mine@v1") == said
    commit = hub.repositories["lab/mine"].names["v1"]
    assert there.predict("lab/mine", commit) == said

    asked = len(hub.requests)
    for revision, expected in (("main", changed), ("v1", said), (commit, said)):
        assert there.predict("lab/mine", revision, HF_HUB_OFFLINE="1") == expected
    assert there.predict("lab/mine", commit) == said, "a commit cannot change"
    assert len(hub.requests) == asked, "offline is offline"

    hub.close()
    for revision, expected in (("main", changed), ("v1", said), (commit, said)):
        assert there.predict("lab/mine", revision) == expected, "the network is gone"


def test_a_cold_cache_without_network_is_one_clear_error(hub: LoopbackHub, tmp_path: Path) -> None:
    machine = Machine(tmp_path / "node", hub)
    said = error_of(machine.fcattn("pull", "lab/mine@v1", HF_HUB_OFFLINE="1"))
    for words in ("lab/mine@v1", str(machine.home / "hf"), "fcattn pull lab/mine@v1"):
        assert words in said
    assert hub.requests == []
    hub.failing = 503
    assert "answered 503" in error_of(machine.fcattn("pull", "lab/mine@v1"))


def test_pull_makes_a_folder_to_carry(hub: LoopbackHub, folder: Path, tmp_path: Path) -> None:
    here, node = Machine(tmp_path / "here", hub), Machine(tmp_path / "node", hub)
    here.fcattn("push", str(folder), "lab/mine")
    assert here.fcattn("pull", "lab/mine", "--out", "carried").returncode == 0
    carried = here.home / "carried"
    assert sorted(path.name for path in carried.iterdir()) == sorted(FILES)
    assert not any(path.is_symlink() for path in carried.iterdir())
    shutil.move(carried, node.home / "carried")
    assert node.predict("carried", HF_HUB_OFFLINE="1") == here.predict(str(folder))
    assert "is there already" in error_of(node.fcattn("pull", "carried", "--out", "carried"))


def test_weights_of_a_laboratory_take_the_place_of_the_substitute(
    hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    root = standin.write(tmp_path / "standin")
    recipe = ["--config", str(RECIPE), f"--data.root={root}", *SMALL]
    assert main(["fit", *recipe]) == 0
    assert main(["release", "runs/iemocap-fa_ca", "--name", "fa-ca-standin"]) == 0

    lab, reader = Machine(tmp_path / "lab", hub), Machine(tmp_path / "reader", hub)
    folder = tmp_path / "checkpoints" / "fa-ca-standin"
    done = lab.fcattn("push", str(folder), "fcattn/fa-ca-iemocap")
    assert done.returncode == 0, done.stderr
    program = "import warnings; warnings.simplefilter('error')" + PREDICT
    done = reader.python("-c", program, "fa-ca-iemocap")
    assert done.returncode == 0, done.stderr
    assert done.stdout == lab.predict(str(folder))


def test_dry_run_shows_and_uploads_nothing(hub: LoopbackHub, folder: Path, tmp_path: Path) -> None:
    done = Machine(tmp_path / "here", hub).fcattn("push", str(folder), "lab/mine", "--dry-run")
    assert done.returncode == 0, done.stderr
    for name in FILES:
        assert name in done.stdout
    assert hub.requests == []
    assert hub.repositories == {}


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        ({"licence": ""}, "licence"),
        ({"corpora": ()}, "data set"),
        ({"validated_on": ()}, "split"),
        ({"results": {}}, "metrics"),
    ],
)
def test_publishing_refuses_what_nobody_could_judge(
    tmp_path: Path,
    lacking: dict[str, object],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from dataclasses import replace

    model = untrained()
    model.results = lacking.pop("results", RESULTS)
    model.provenance = replace(ABOUT, **lacking)
    folder = model.save_pretrained(tmp_path / "small")
    assert main(["push", str(folder), "lab/mine", "--dry-run"]) == 2
    assert f"must say their {said}" in capsys.readouterr().err


def test_a_card_without_a_header_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for text in ("# no header\n", "---\nlicense: [\n---\n"):
        (folder / "README.md").write_text(text)
        assert main(["push", str(folder), "lab/mine", "--dry-run"]) == 2
        assert "header" in capsys.readouterr().err


def test_a_wrong_token_is_explained_and_not_shown(
    hub: LoopbackHub, folder: Path, tmp_path: Path
) -> None:
    machine = Machine(tmp_path / "here", hub, HF_TOKEN="hf_secretsecret")
    done = machine.fcattn("push", str(folder), "lab/mine")
    assert "refused with 401" in error_of(done)
    assert "hf auth login" in done.stderr
    assert "hf_secret" not in done.stderr


def test_what_is_not_there_is_named(hub: LoopbackHub, folder: Path, tmp_path: Path) -> None:
    machine = Machine(tmp_path / "here", hub)
    assert "no such repository" in error_of(machine.fcattn("pull", "lab/nothing"))
    machine.fcattn("push", str(folder), "lab/mine")
    assert "no such branch, tag or commit" in error_of(machine.fcattn("pull", "lab/mine@v9"))
    del hub.repositories["lab/mine"].commits[hub.repositories["lab/mine"].names["main"]][
        "metrics.json"
    ]
    assert "no metrics.json" in error_of(machine.fcattn("pull", "lab/mine"))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_what_is_too_large_is_not_fetched(
    hub: LoopbackHub, folder: Path, tmp_path: Path, name: str
) -> None:
    machine = Machine(tmp_path / "here", hub)
    machine.fcattn("push", str(folder), "lab/mine")
    hub.sizes[name] = 10**9
    hub.requests.clear()
    said = error_of(machine.fcattn("pull", "lab/mine"))
    assert f"{name} has 1000000000 bytes" in said
    assert "not fetched" in said
    assert not any(one.startswith("GET") and one.endswith(name) for one in hub.requests)


def test_only_our_four_files_are_asked_for(hub: LoopbackHub, folder: Path, tmp_path: Path) -> None:
    machine = Machine(tmp_path / "here", hub)
    machine.fcattn("push", str(folder), "lab/mine")
    hub.repositories["lab/mine"].commit(
        "main", {"../../evil.py": b"import os", "modeling.py": b"import os", "pickle.bin": b"x"}
    )
    assert machine.fcattn("pull", "lab/mine").returncode == 0
    assert not any("evil" in one or "modeling" in one for one in hub.requests)
    names = {path.name for path in machine.home.rglob("*") if path.is_file()}
    assert not names & {"evil.py", "modeling.py", "pickle.bin"}


def test_eight_processes_that_load_a_cold_model_all_get_it(
    hub: LoopbackHub, folder: Path, tmp_path: Path
) -> None:
    machine = Machine(tmp_path / "here", hub)
    machine.fcattn("push", str(folder), "lab/mine")
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda _: machine.predict("lab/mine"), range(8)))
    assert set(said) == {machine.predict(str(folder))}


def test_a_download_that_was_cut_off_starts_again(
    hub: LoopbackHub, folder: Path, tmp_path: Path
) -> None:
    machine = Machine(tmp_path / "here", hub)
    machine.fcattn("push", str(folder), "lab/mine")
    repository = hub.repositories["lab/mine"]
    files = repository.commits[repository.names["main"]]
    weights = files.pop("model.safetensors")  # the network goes away in the middle
    error_of(machine.fcattn("pull", "lab/mine"))
    said = error_of(machine.fcattn("pull", "lab/mine", HF_HUB_OFFLINE="1"))
    assert "not in the cache" in said, "half a model is no model"
    files["model.safetensors"] = weights
    assert machine.predict("lab/mine") == machine.predict(str(folder))


def test_bundled_and_local_names_never_touch_the_network(
    hub: LoopbackHub, folder: Path, tmp_path: Path
) -> None:
    machine = Machine(tmp_path / "here", hub)
    shutil.copytree(folder, machine.home / "checkpoints" / "fa-ca-iemocap")
    machine.predict("fa-ca-iemocap")
    machine.predict(str(folder))
    assert hub.requests == []


def test_push_to_hub_is_push(hub: LoopbackHub, folder: Path, tmp_path: Path) -> None:
    program = (
        "import sys, fcattn\n"
        "print(fcattn.from_pretrained(sys.argv[1]).push_to_hub('lab/mine', tag='v1'))"
    )
    done = Machine(tmp_path / "here", hub).python("-c", program, str(folder))
    assert done.returncode == 0, done.stderr
    repository = hub.repositories["lab/mine"]
    assert done.stdout.strip() == repository.names["main"] == repository.names["v1"]
    files = repository.commits[repository.names["v1"]]
    assert set(FILES) <= set(files)
    assert json.loads(files["metrics.json"])["provenance"]["name"] == "fa-ca-mine"
