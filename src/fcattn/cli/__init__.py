"""The command ``fcattn``: each subcommand has a file of its own, imported when it is called."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence

from rich.console import Console

from fcattn.errors import FcattnError, ProvenanceWarning

TRAINING = {
    "fit": "train by a recipe",
    "validate": "measure on the validation speakers",
    "test": "measure on the test speakers",
}
"""Subcommands that LightningCLI takes, with every flag of Trainer, model and data."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line.

    Args:
        arguments: Words after ``fcattn``; those of the process by default.

    Returns:
        0 if all went right, 1 if some inputs failed, 2 if the use was wrong.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    complain = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(message: Warning | str, *_: object, **__: object) -> None:
        complain.print(f"[yellow]note:[/] {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always", ProvenanceWarning)
        if words[:1] and words[0] not in TRAINING:
            warnings.showwarning = say
        try:
            return _run(words)
        except FcattnError as error:
            complain.print(f"[red]error:[/] {type(error).__name__}: ", end="")
            complain.print(str(error), markup=False)
            return 2
        except KeyboardInterrupt:
            complain.print("stopped")
            return 130


def _run(words: list[str]) -> int:
    if words and words[0] in TRAINING:
        from fcattn.cli.train import train

        return train(words)
    options = _parser().parse_args(words)
    return int(options.run(options))


def _parser() -> argparse.ArgumentParser:
    from fcattn import __version__

    parser = argparse.ArgumentParser(prog="fcattn", description="Speech emotion recognition.")
    parser.add_argument("--version", action="version", version=f"fcattn {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, about in TRAINING.items():
        commands.add_parser(name, help=f"{about}; fcattn {name} --help", add_help=False)
    _add_predict(commands)
    _add_release(commands)
    _add_list(commands)
    return parser


def _add_predict(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("predict", help="name the emotions of sound files")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="sound file or folder")
    parser.add_argument("--model", default="fa-ca-ravdess", help="name or checkpoint folder")
    parser.add_argument("--format", choices=("table", "csv", "json", "jsonl"), default="table")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, mps (default: cpu)")
    parser.add_argument("--strict", action="store_true", help="refuse substitute weights")

    def run(options: argparse.Namespace) -> int:
        from fcattn.cli.predict import predict

        return predict(options.paths, options.model, options.format, options.device, options.strict)

    parser.set_defaults(run=run)


def _add_release(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
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


def _add_list(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
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
