"""Words and flags of the command line; what a command does is imported when it is called."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    Commands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]

TRAINING = {
    "fit": "train by a recipe",
    "validate": "measure on the validation speakers",
    "test": "measure on the test speakers",
}
"""Subcommands that LightningCLI takes, with every flag of Trainer, model and data."""


def parser() -> argparse.ArgumentParser:
    """The words and flags of every command."""
    from fcattn import __version__

    whole = argparse.ArgumentParser(prog="fcattn", description="Speech emotion recognition.")
    whole.add_argument("--version", action="version", version=f"fcattn {__version__}")
    commands = whole.add_subparsers(metavar="COMMAND", required=True)
    for name, about in TRAINING.items():
        commands.add_parser(name, help=f"{about}; fcattn {name} --help", add_help=False)
    _add_predict(commands)
    _add_crossval(commands)
    _add_compare(commands)
    _add_check_data(commands)
    _add_make_standin(commands)
    _add_release(commands)
    _add_export(commands)
    _add_push(commands)
    _add_pull(commands)
    _add_list(commands)
    return whole


def _add_predict(commands: Commands) -> None:
    parser = commands.add_parser("predict", help="name the emotions of sound files")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="sound file or folder")
    parser.add_argument("--model", default="fa-ca-ravdess", help="name or checkpoint folder")
    parser.add_argument("--format", choices=("table", "csv", "json", "jsonl"), default="table")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, mps (default: cpu)")
    parser.add_argument("--strict", action="store_true", help="refuse substitute weights")
    parser.add_argument("--onnx", metavar="FILE", help="a model that fcattn export wrote")
    parser.add_argument("--hop-s", type=float, help="say it for every so many seconds")
    parser.add_argument("--window-s", type=float, default=3.0, help="heard at a time (default: 3)")
    parser.add_argument("--out", metavar="FILE.jsonl", help="append to it; go on where it stopped")
    parser.add_argument("--devices", type=int, default=1, help="processes that share the files")

    def run(options: argparse.Namespace) -> int:
        from fcattn.cli.predict import predict

        return predict(options)

    parser.set_defaults(run=run)


def _add_export(commands: Commands) -> None:
    parser = commands.add_parser("export", help="write a model as ONNX")
    parser.add_argument("name", metavar="NAME", help="name or checkpoint folder")
    parser.add_argument("--onnx", required=True, metavar="FILE", help="file to write")
    parser.add_argument("--int8", action="store_true", help="linear maps in eight bits")

    def run(options: argparse.Namespace) -> int:
        from fcattn.cli.export import export

        return export(options.name, options.onnx, options.int8)

    parser.set_defaults(run=run)


def _add_crossval(commands: Commands) -> None:
    parser = commands.add_parser(
        "crossval",
        help="train and judge every fold of a recipe",
        epilog="Any setting of fcattn fit can follow: --data.root, --trainer.max_epochs, …",
    )
    parser.add_argument("--config", required=True, metavar="RECIPE", help="recipes/…")
    parser.add_argument("--folds", default="all", help="all, or for example 1,3 (default: all)")
    parser.add_argument("--seeds", help="for example 0,1,2 (default: the recipe's)")
    parser.add_argument("--out", help="folder of all folds and the results")

    def run(options: argparse.Namespace) -> int:
        from fcattn.cli.crossval import crossval

        words = ["--config", options.config, *options.settings]
        return crossval(words, options.folds, options.seeds, options.out)

    parser.set_defaults(run=run)


def _add_compare(commands: Commands) -> None:
    parser = commands.add_parser("compare", help="is one cross-validation better than another?")
    parser.add_argument("first", metavar="RUN_A", help="folder of a cross-validation")
    parser.add_argument("second", metavar="RUN_B", help="folder of another")
    parser.add_argument("--format", choices=("table", "json"), default="table")

    def run(options: argparse.Namespace) -> int:
        from fcattn.cli.crossval import compare

        return compare(options.first, options.second, options.format)

    parser.set_defaults(run=run)


def _add_check_data(commands: Commands) -> None:
    parser = commands.add_parser("check-data", help="compare a corpus folder with what is known")
    parser.add_argument("corpus", choices=("iemocap", "ravdess", "emodb", "nemo"))
    parser.add_argument("root", metavar="ROOT", help="folder of the corpus")
    parser.add_argument("--all", action="store_true", help="name every difference, not the first")

    def run(options: argparse.Namespace) -> int:
        from fcattn.cli.corpora import check_data

        return check_data(options.corpus, options.root, options.all)

    parser.set_defaults(run=run)


def _add_make_standin(commands: Commands) -> None:
    parser = commands.add_parser("make-standin", help="make a stand-in for a licensed corpus")
    parser.add_argument("corpus", choices=("iemocap",))
    parser.add_argument("out", metavar="OUT", help="folder to make")
    parser.add_argument("--from", dest="source", metavar="RAVDESS", help="real speech; else tones")

    def run(options: argparse.Namespace) -> int:
        from fcattn.cli.corpora import make_standin

        return make_standin(options.out, options.source)

    parser.set_defaults(run=run)


def _add_release(commands: Commands) -> None:
    parser = commands.add_parser("release", help="make a checkpoint folder of a training run")
    parser.add_argument("folder", metavar="RUN", help="folder of the run: runs/…")
    parser.add_argument("--name", required=True, help="ATTENTION-CORPUS, for example fa-ca-ravdess")
    parser.add_argument("--out", default="checkpoints", help="where to (default: checkpoints)")
    parser.add_argument("--root", help="folder of the corpus, if it has moved since")
    parser.add_argument("--note", default="", help="what users of the weights must know")

    def run(options: argparse.Namespace) -> int:
        from fcattn.cli.release import release

        return release(options.folder, options.name, options.out, options.root, options.note)

    parser.set_defaults(run=run)


def _add_push(commands: Commands) -> None:
    parser = commands.add_parser("push", help="publish a model on the Hugging Face Hub")
    parser.add_argument("name", metavar="NAME", help="name or checkpoint folder")
    parser.add_argument("repository", metavar="OWNER/REPO", help="made if it is not there")
    parser.add_argument("--private", action="store_true", help="only its owner sees it")
    parser.add_argument("--revision", help="branch (default: main)")
    parser.add_argument("--tag", help="name of the commit, for example v1")
    parser.add_argument("--dry-run", action="store_true", help="show what would be uploaded")

    def run(options: argparse.Namespace) -> int:
        from fcattn.cli.share import push

        return push(
            options.name,
            options.repository,
            private=options.private,
            revision=options.revision,
            tag=options.tag,
            dry_run=options.dry_run,
        )

    parser.set_defaults(run=run)


def _add_pull(commands: Commands) -> None:
    parser = commands.add_parser("pull", help="fetch a model of the Hub, for use without network")
    parser.add_argument("name", metavar="NAME", help="owner/repo, owner/repo@revision, or a name")
    parser.add_argument("--out", metavar="FOLDER", help="copy it there, to carry it elsewhere")

    def run(options: argparse.Namespace) -> int:
        from fcattn.cli.share import pull

        return pull(options.name, options.out)

    parser.set_defaults(run=run)


def _add_list(commands: Commands) -> None:
    parser = commands.add_parser("list", help="list the models that have names")
    parser.add_argument("pattern", nargs="?", default="*", help="for example '*ravdess'")

    parser.add_argument("--markdown", action="store_true", help="the table of the README")

    def run(options: argparse.Namespace) -> int:
        from fcattn.cli.listing import markdown, show

        if options.markdown:
            sys.stdout.write(markdown() + "\n")
            return 0
        return show(options.pattern)

    parser.set_defaults(run=run)
