"""Training learns, repeats itself, and keeps what it promises to keep."""

from __future__ import annotations

import multiprocessing
import os
import socket
from dataclasses import replace
from multiprocessing.queues import Queue
from pathlib import Path

import pytest
import torch
from lightning import Trainer, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import distributed

from conftest import LABELS, SMALL
from fcattn.data import Augmentation, Synthetic
from fcattn.errors import FcattnError
from fcattn.features import length_mask
from fcattn.optimisation import Optimisation
from fcattn.training import BaselineMHSA, EmotionTask, FocusCalibrationMHSA, FocusMHSA

TASKS = [BaselineMHSA, FocusMHSA, FocusCalibrationMHSA]
Batched = tuple[torch.Tensor, torch.Tensor]
FAST = Optimisation(learning_rate=4e-3)


def data(tones: Path, **settings: object) -> Synthetic:
    return Synthetic(str(tones), validation_speakers=["05"], test_speakers=["06"], **settings)


def task(kind: type[EmotionTask] = FocusCalibrationMHSA, **settings: object) -> EmotionTask:
    seed_everything(0, verbose=False)
    return kind(LABELS, **{"network": SMALL, "optimisation": FAST, **settings})


def trainer(folder: Path, epochs: int, **settings: object) -> Trainer:
    return Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        default_root_dir=folder,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        **settings,
    )


@pytest.mark.parametrize("kind", TASKS)
def test_every_variant_learns_the_tones(
    kind: type[EmotionTask], tones: Path, tmp_path: Path
) -> None:
    mild = Augmentation(band_masks=0, gain_db=0.0, speeds=(95, 100, 105))
    run = trainer(tmp_path, 8, enable_checkpointing=False)
    run.fit(task(kind, augmentation=mild), datamodule=data(tones, batch_size=16))
    [figures] = run.test(run.lightning_module, datamodule=run.datamodule, verbose=False)
    assert figures["test/UA"] > 0.7, "chance is 0.25"
    assert set(figures) == {"test/UA", "test/WA", "test/F1"}


def fitted_losses(run: Trainer) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in run.lightning_module.network.parameters()]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_resumed_run_ends_with_the_weights_of_an_unbroken_one(
    tones: Path, tmp_path: Path, workers: int
) -> None:
    def keep(name: str) -> ModelCheckpoint:
        return ModelCheckpoint(
            tmp_path / name, "{epoch}", save_top_k=-1, save_on_train_epoch_end=True
        )

    whole = trainer(tmp_path, 3, callbacks=[keep("whole")])
    whole.fit(task(), datamodule=data(tones, workers=workers))
    broken = trainer(tmp_path, 3, callbacks=[keep("broken")])
    torch.manual_seed(99)
    start = str(tmp_path / "whole" / "epoch=0.ckpt")
    broken.fit(task(), datamodule=data(tones, workers=workers), ckpt_path=start)
    for one, other in zip(fitted_losses(whole), fitted_losses(broken), strict=True):
        assert torch.equal(one, other)


def test_the_same_seed_gives_the_same_weights(tones: Path, tmp_path: Path) -> None:
    runs = []
    for _ in range(2):
        run = trainer(tmp_path, 1, enable_checkpointing=False)
        run.fit(task(), datamodule=data(tones))
        runs.append(fitted_losses(run))
    for one, other in zip(*runs, strict=True):
        assert torch.equal(one, other)


def test_statistics_and_class_weights_come_from_training_speakers_only(
    tones: Path, tmp_path: Path
) -> None:
    corpus, run = data(tones), trainer(tmp_path, 1, limit_train_batches=1)
    run.fit(task(), datamodule=corpus)
    mel = run.lightning_module.network.features
    clips = corpus.clips("train")
    batch = clips[0, list(range(len(clips)))]
    level, lengths = mel.level_db(batch.waveform, batch.lengths)
    valid = level[length_mask(lengths, level.shape[1])]
    torch.testing.assert_close(mel.mean, valid.mean(0), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(mel.deviation, valid.std(0), atol=1e-2, rtol=1e-2)
    assert {one.speaker for one in corpus.splits["train"]} == {"01", "02", "03", "04"}


def test_rare_classes_weigh_more(tones: Path, tmp_path: Path) -> None:
    corpus = data(tones)
    corpus.prepare_data()
    corpus.setup("fit")
    kept = [u for u in corpus.splits["train"] if u.label != "sad" or u.id.endswith("0")]
    corpus.splits["train"] = kept
    corpus.setup = lambda stage: None  # keep the thinned split
    run = trainer(tmp_path, 1, limit_train_batches=1)
    run.fit(task(), datamodule=corpus)
    weights = run.lightning_module.class_weights
    torch.testing.assert_close(weights, torch.tensor([13 / 16, 13 / 16, 13 / 16, 13 / 4]))


def one_step(waveform: torch.Tensor, lengths: torch.Tensor) -> list[torch.Tensor]:
    """Gradients of one training step on rows of a batch."""
    learner = task(network=replace(SMALL, dropout=0.0)).train()
    learner.class_weights = torch.tensor([0.5, 1.0, 2.0, 4.0])
    targets = torch.nn.functional.one_hot(torch.arange(len(waveform)) % 4, 4).float()
    loss = learner.loss(learner.network(waveform, lengths), targets)
    return list(torch.autograd.grad(loss, list(learner.network.parameters())))


def half_step(rank: int, port: int, batch: Batched, results: Queue) -> None:
    """What one of two processes does: its half of the batch, and the mean of both gradients."""
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    distributed.init_process_group("gloo", rank=rank, world_size=2)
    half = slice(4 * rank, 4 * rank + 4)
    gradients = one_step(batch[0][half], batch[1][half])
    for gradient in gradients:
        distributed.all_reduce(gradient)
    if rank == 0:
        results.put([(gradient / 2).numpy() for gradient in gradients])
    distributed.destroy_process_group()


def test_two_processes_with_half_the_batch_take_the_step_of_one() -> None:
    batch = torch.randn(8, 12_000), torch.tensor([12_000, 9_000, 12_000, 4_000] * 2)
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    workers = [
        context.Process(target=half_step, args=(rank, port, batch, results)) for rank in (0, 1)
    ]
    for worker in workers:
        worker.start()
    shared = results.get(timeout=120)
    for worker in workers:
        worker.join(60)
    for whole, halves in zip(one_step(*batch), shared, strict=True):
        torch.testing.assert_close(whole, torch.from_numpy(halves), atol=2e-6, rtol=1e-3)


def test_training_without_our_data_module_is_explained(tmp_path: Path) -> None:
    loader = torch.utils.data.DataLoader(torch.zeros(4, 1))
    with pytest.raises(FcattnError, match="needs a data module"):
        trainer(tmp_path, 1).fit(task(), loader)


def test_the_checkpoint_of_a_task_loads_without_unpickling(tones: Path, tmp_path: Path) -> None:
    run = trainer(tmp_path, 1, limit_train_batches=1)
    run.fit(task(), datamodule=data(tones))
    run.save_checkpoint(tmp_path / "a.ckpt")
    stored = torch.load(tmp_path / "a.ckpt", weights_only=True)
    assert stored["fcattn"]["attention"] == "fa_ca"
    assert tuple(stored["fcattn"]["labels"]) == LABELS
