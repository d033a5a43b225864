"""From the predictions of all folds to ``results.json``, ``results.md`` and ``confusion.png``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fcattn import judged, metrics
from fcattn.crossval import PREDICTIONS, Finished, write_json
from fcattn.evaluation import CAUTION, figures
from fcattn.judged import Judged
from fcattn.run import versions

FIGURES = ("UA", "WA", "F1")
RESULTS, PAGE, PICTURE = "results.json", "results.md", "confusion.png"


def write(out: Path, about: Mapping[str, Any], finished: Sequence[Finished]) -> dict[str, Any]:
    """Write what the finished folds say, together.

    Args:
        out: Folder of the cross-validation.
        about: Model, corpus, protocol and labels, by name.
        finished: Folds and seeds that are done.

    Returns:
        What ``results.json`` holds. It depends on the predictions alone, not on how often the
        cross-validation was stopped; times stand in ``results.md``.
    """
    table = judged.join([one.predictions for one in finished])
    found = summarise(about, table, [one.facts for one in finished])
    judged.write(out / PREDICTIONS, table)
    write_json(out / RESULTS, found)
    hours = sum(one.facts["training_s"] for one in finished) / 3600
    (out / PAGE).write_text(page(found, hours), encoding="utf-8")
    return found


def summarise(
    about: Mapping[str, Any], table: Judged, facts: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Figures pooled over all predictions, as mean over folds, and of each fold."""
    each = [_fold(table, one) for one in facts]
    split = facts[0]["split"]
    aligned = [one["alignment"] for one in facts]
    return {
        **about,
        "folds": sorted({one["fold"] for one in facts}),
        "seeds": sorted({one["seed"] for one in facts}),
        "split": split,
        **({"caution": CAUTION} if split == "validation" else {}),
        "pooled": figures(table),
        "mean_over_folds": {name: _spread([one[name] for one in each]) for name in FIGURES},
        "alignment": {name: _mean([one[name] for one in aligned]) for name in aligned[0]},
        "speech_s": sum(one["speech_s"] for one in facts),
        "each": each,
        "versions": versions(),
    }


def page(found: Mapping[str, Any], training_h: float) -> str:
    """The results as Markdown."""
    pooled, mean = found["pooled"], found["mean_over_folds"]
    rows = [
        "| {} | {:.1f} % ({:.1f} – {:.1f}) | {:.1f} % ± {:.1f} |".format(
            name,
            *(100 * pooled[name][part] for part in ("value", "low", "high")),
            *(100 * mean[name][part] for part in ("mean", "deviation")),
        )
        for name in FIGURES
    ]
    folds = [
        "| {fold} | {seed} | {who} | {UA} | {WA} | {F1} |".format(
            fold=one["fold"],
            seed=one["seed"],
            who=", ".join(one["speakers"][found["split"]]),
            **{name: f"{100 * one[name]:.1f} %" for name in FIGURES},
        )
        for one in found["each"]
    ]
    made = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    return "\n".join(
        [
            f"# {found['attention']} on {found['corpus']}, {found['protocol']}",
            "",
            f"{pooled['utterances']} judged utterances of {len(pooled['speakers'])} speakers "
            f"({found['speech_s'] / 3600:.2f} h of speech), in {len(found['folds'])} folds with "
            f"{len(found['seeds'])} seeds. Nobody who judges a fold was trained on in it; "
            f"they are its {found['split']} speakers.",
            *(["", found["caution"]] if "caution" in found else []),
            "",
            "| figure | pooled (95 %, bootstrap over speakers) | mean over folds ± deviation |",
            "|---|---|---|",
            *rows,
            "",
            f"Expected calibration error {pooled['ECE']:.3f}. {_aligned(found['alignment'])}",
            "",
            "Rows are true, columns predicted:",
            "",
            "```",
            *_confusion(found["labels"], pooled["confusion"]),
            "```",
            "",
            "| fold | seed | judged by | UA | WA | F1 |",
            "|---|---|---|---|---|---|",
            *folds,
            "",
            f"Training took {training_h:.2f} h. Made with {made}.",
            "",
        ]
    )


def _fold(table: Judged, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Figures and people of one fold and seed."""
    mine = table.rows((table.folds == facts["fold"]) & (table.seeds == facts["seed"]))
    confusion = metrics.confusion_matrix(mine.truth, mine.predicted, len(table.labels))
    kept = ("fold", "seed", "speakers", "temperature", "alignment", "speech_s")
    return {**{name: facts[name] for name in kept}, **metrics.summary(confusion)}


def _spread(values: list[float]) -> dict[str, float]:
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return {"mean": float(np.mean(values)), "deviation": deviation}


def _mean(values: list[float | None]) -> float | None:
    known = [one for one in values if one is not None]
    return float(np.mean(known)) if known else None


def _aligned(alignment: Mapping[str, float | None]) -> str:
    shown = [f"{name} {value:.2f}" for name, value in alignment.items() if value is not None]
    return f"Attention and amplitude: {', '.join(shown)}.".replace("_", " ")


def _confusion(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> list[str]:
    """The confusion matrix as lines of text."""
    width = max(max(map(len, labels)), *(len(str(one)) for row in counts for one in row))
    head = " " * width + "  " + "  ".join(f"{name:>{width}}" for name in labels)
    return [
        head,
        *(
            f"{name:>{width}}  " + "  ".join(f"{one:>{width}}" for one in row)
            for name, row in zip(labels, counts, strict=True)
        ),
    ]
