"""The command ``fcattn``: each subcommand has a file of its own, imported when it is called."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence

from rich.console import Console

from fcattn.cli.commands import TRAINING, parser
from fcattn.errors import FcattnError, ProvenanceWarning


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line.

    Args:
        arguments: Words after ``fcattn``; those of the process by default.

    Returns:
        0 if all went right, 1 if some inputs failed, 2 if the use was wrong.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    complain = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        if not issubclass(category, DeprecationWarning | FutureWarning):  # not the user's to mend
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
    options, settings = parser().parse_known_args(words)
    if settings and words[0] != "crossval":
        parser().parse_args(words)  # names what it does not know
    options.settings = settings
    return int(options.run(options))
