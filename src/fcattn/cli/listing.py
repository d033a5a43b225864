"""``fcattn list``: the models that have names, and what they really are."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from fcattn import hub, zoo
from fcattn.checkpoint import load


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
    folder, record = hub.at_hand(name), zoo.find(name)
    if folder is None and record is not None:
        instead = record.substitute
        missing = f"not trained on {', '.join(record.corpora)}"
        state = f"substitute: {instead}, {missing}" if instead else f"Hub: {record.repository}"
        return (name, ", ".join(record.labels), "–", "–", "–", state)
    found = load(hub.resolve(name) if folder is None else folder)
    about = found.provenance
    split, result = next(iter(found.results.items()), ("", None))
    figure = f"{100 * result['UA']['value']:.1f} % ({split})" if result else "–"
    return (
        name,
        ", ".join(found.config.labels),
        ", ".join(about.corpora),
        figure,
        about.licence,
        "here",
    )
