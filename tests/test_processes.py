"""Training and testing in two processes on the CPU, started in every way that people start them."""

from __future__ import annotations

import csv
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

RECIPE = Path(__file__).parents[1] / "recipes" / "synthetic" / "fa_ca.yaml"
SMALL = [
    "--model.network.stem_channels=[4,4,8,8]",
    "--model.network.width=32",
    "--model.network.feedforward=32",
]
TWO = ["--trainer.devices=2", "--trainer.strategy=ddp"]


@pytest.fixture(scope="module")
def odd_tones(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tones of which the test speaker has 15, which two processes cannot share evenly."""
    root = tmp_path_factory.mktemp("odd") / "tones"
    shutil.copytree(tones, root)
    (root / "06" / "sad_3.wav").unlink()
    return root


def words(stage: str, tones: Path, run: Path, *more: str) -> list[str]:
    return [
        *("-m", "fcattn", stage, "--config", str(RECIPE), f"--data.root={tones}"),
        f"--trainer.default_root_dir={run}",
        *("--trainer.accelerator=cpu", "--trainer.enable_progress_bar=false", *SMALL, *more),
    ]


def start(command: list[str]) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for name in ("LOCAL_RANK", "RANK", "WORLD_SIZE", "NODE_RANK", "MASTER_ADDR", "MASTER_PORT"):
        environment.pop(name, None)  # left behind by trainings of other tests
    return subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def finish(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said


def figures(run: Path, stage: str) -> dict[str, float]:
    with (run / stage / "metrics.csv").open() as file:
        [row] = csv.DictReader(file)
    return {name: float(value) for name, value in row.items() if name.startswith(stage)}


def test_two_processes_fit_and_test_exactly_as_one_tests(odd_tones: Path, tmp_path: Path) -> None:
    run, curve = tmp_path / "run", tmp_path / "run" / "metrics.csv"
    finish(start([sys.executable, *words("fit", odd_tones, run, *TWO, "--trainer.max_epochs=2")]))
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == [
        "best.ckpt",
        "last.ckpt",
    ]
    learnt = curve.read_text()
    assert learnt.count("\n") == 5, "a head and two lines an epoch: one process writes"
    finish(start([sys.executable, *words("test", odd_tones, run, *TWO)]))
    together = figures(run, "test")
    finish(start([sys.executable, *words("test", odd_tones, run)]))
    assert together == figures(run, "test")
    assert (together["test/WA"] * 15) % 1 == pytest.approx(0, abs=1e-5), "15 clips, each once"
    assert curve.read_text() == learnt, "testing leaves the learning curve alone"


@pytest.mark.parametrize("nodes", [1, 2])
def test_torchrun_starts_one_node_or_two(odd_tones: Path, tmp_path: Path, nodes: int) -> None:
    run = tmp_path / "run"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    each = 2 // nodes
    more = [f"--trainer.num_nodes={nodes}", f"--trainer.devices={each}", "--trainer.strategy=ddp"]
    finish(
        *(
            start(
                [
                    *(sys.executable, "-m", "torch.distributed.run"),
                    *(f"--nnodes={nodes}", f"--nproc-per-node={each}", f"--node-rank={node}"),
                    *("--master-addr=127.0.0.1", f"--master-port={port}"),
                    *words("fit", odd_tones, run, *more, "--trainer.max_epochs=1"),
                ]
            )
            for node in range(nodes)
        )
    )
    assert (run / "checkpoints" / "best.ckpt").is_file()
    assert (run / "metrics.csv").read_text().count("\n") == 3
