"""``fcattn list``: the models that have names, and what they really are."""

from __future__ import annotations

import warnings

from rich.console import Console
from rich.table import Table

from fcattn import hub, zoo
from fcattn.checkpoint import load
from fcattn.errors import HubError, ProvenanceWarning, UnknownModelError


def show(pattern: str) -> int:
    """Print a table of the models whose names match; returns 0, or 1 if none does."""
    names = hub.list_models(pattern)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("name", "labels", "trained on", "UA", "licence", "weights"):
        table.add_column(column, overflow="fold", no_wrap=column in ("name", "UA"))
    for name in names:
        table.add_row(*_row(name))
    Console().print(table if names else f"no model matches {pattern!r}")
    return 0 if names else 1


def markdown() -> str:
    """The table of the models that have weights, for the README."""
    lines = ["| name | emotions | trained on | judged on | UA | WA |", "|---|---|---|---|---|---|"]
    for record in zoo.RECORDS:
        if record.substitute:
            continue
        found = load(hub.bundled() / record.name)
        about = found.provenance
        for split, result in found.results.items():
            shown = " | ".join(
                "{:.1f} % ({:.1f} – {:.1f})".format(
                    *(100 * result[figure][part] for part in ("value", "low", "high"))
                )
                for figure in ("UA", "WA")
            )
            people = f"{result['utterances']} clips of {len(result['speakers'])} {split} speakers"
            emotions = f"{len(found.config.labels)}"
            corpora = ", ".join(about.corpora)
            lines.append(f"| `{record.name}` | {emotions} | {corpora} | {people} | {shown} |")
    return "\n".join(lines)


def _row(name: str) -> tuple[str, ...]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ProvenanceWarning)
        try:
            folder = hub.resolve(name)
        except (UnknownModelError, HubError):
            return (name, "", "", "", "", "not here")
    found = load(folder)
    about = found.provenance
    split, result = next(iter(found.results.items()), ("", None))
    figure = f"{100 * result['UA']['value']:.1f} % ({split})" if result else "–"
    state = f"substitute: {about.name}, not trained on IEMOCAP" if caught else "here"
    return (
        name,
        ", ".join(found.config.labels),
        ", ".join(about.corpora),
        figure,
        about.licence,
        state,
    )
