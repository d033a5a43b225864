"""The model card: what metrics.json knows, in words; no number is typed by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from fcattn.checkpoint import CARD, Checkpoint
from fcattn.errors import CheckpointError

ATTENTION = {
    "mhsa": "plain multi-head self-attention (MHSA)",
    "fa": "multi-head self-attention with Focus-Attention (FA)",
    "fa_ca": "multi-head self-attention with Focus- and Calibration-Attention (FA+CA)",
}

TEXT = """---
{header}
---

# {name}

Speech in, one of {count} emotions out: {labels}.

A network of {parameters:,} parameters with {attention},
after *Improving Speech Emotion Recognition Through Focus and Calibration Attention Mechanisms*
(Kim, An and Kim, INTERSPEECH 2022, arXiv 2208.10491). The formulas are fcattn's own, built from
the paper's abstract; these weights are not the authors' and do not reproduce their tables.
{note}
```python
import fcattn

model = fcattn.from_pretrained("{name}")
print(model.predict("clip.wav"))
```

## Training data

{corpora}. {trained} learnt: {trained_on}. {validated} chose the checkpoint and the temperature:
{validated_on}. {tested}

Recipe `{recipe}`, seed {seed}; {versions}.

## Results

{results}

## Limits

The weights heard acted, studio-recorded speech of few people. They say how a clip sounds compared
with those actors; they do not know what a person feels. Not for judging people: hiring, policing,
teaching, medicine, credit. Recall differs between classes and speakers; measure on your own
recordings first.

## Licence and sources

Weights: {licence}.

{sources}
"""

SOURCES = {
    "RAVDESS": "RAVDESS: Livingstone and Russo, PLoS ONE 13(5), 2018, "
    "doi 10.1371/journal.pone.0196391, CC BY-NC-SA 4.0.",
    "EmoDB": "EmoDB: Burkhardt et al., INTERSPEECH 2005, CC0 1.0 as published by audEERING.",
    "nEMO": "nEMO: Christop, LREC-COLING 2024, CC BY-NC-SA 4.0.",
    "IEMOCAP": "IEMOCAP: Busso et al., Language Resources and Evaluation 42(4), 2008.",
}
"""What to cite for each corpus."""


def check(folder: Path) -> None:
    """Refuse a card whose header the Hub would not understand.

    Raises:
        CheckpointError: If it has no header, or the header no licence, tags or model name.
    """
    path = folder / CARD
    try:
        data = ModelCard.load(path, ignore_metadata_errors=False).data
    except (ValueError, TypeError, yaml.YAMLError) as error:
        raise CheckpointError(f"{path}: its header is not one of a model card ({error})") from None
    missing = [name for name in ("license", "tags", "library_name") if not data.get(name)]
    if missing:
        raise CheckpointError(f"{path}: its header lacks {', '.join(missing)}")


def render(checkpoint: Checkpoint) -> str:
    """Write the card of a checkpoint, with the YAML header that the Hub reads."""
    about, config = checkpoint.provenance, checkpoint.config
    versions = ", ".join(f"{name} {number}" for name, number in about.versions.items())
    return TEXT.format(
        header=_header(checkpoint),
        name=about.name,
        count=len(config.labels),
        labels=", ".join(config.labels),
        parameters=sum(weight.numel() for weight in checkpoint.weights.values()),
        attention=ATTENTION[config.attention],
        note=f"\n**{about.note}**\n" if about.note else "",
        corpora=", ".join(about.corpora) or "Unknown",
        trained=_people(about.trained_on),
        trained_on=", ".join(about.trained_on) or "–",
        validated=_people(about.validated_on),
        validated_on=", ".join(about.validated_on) or "–",
        tested=f"{_people(about.tested_on)} judged: {', '.join(about.tested_on)}."
        if about.tested_on
        else "No further speaker judged.",
        recipe=about.recipe or "unknown",
        seed=about.seed,
        versions=versions or "versions unknown",
        results="\n\n".join(_split(name, one) for name, one in checkpoint.results.items())
        or "None were measured.",
        licence=about.licence or "not stated",
        sources="\n".join(f"* {SOURCES[name]}" for name in about.corpora if name in SOURCES),
    )


def _header(checkpoint: Checkpoint) -> str:
    about = checkpoint.provenance
    measured = [
        EvalResult(
            task_type="audio-classification",
            dataset_type=corpus.lower(),
            dataset_name=f"{corpus}, {split} speakers",
            dataset_split=split,
            metric_type=name.lower(),
            metric_name=name,
            metric_value=round(result[name]["value"], 4),
        )
        for split, result in checkpoint.results.items()
        for corpus in [" + ".join(about.corpora)]
        for name in ("UA", "WA")
    ]
    data = ModelCardData(
        license=about.licence or None,
        language=list(about.languages) or None,
        library_name="fcattn",
        tags=["speech-emotion-recognition", "audio-classification", checkpoint.config.attention],
        pipeline_tag="audio-classification",
        model_name=about.name,
        eval_results=measured or None,
    )
    return str(data.to_yaml()).strip()


def _split(name: str, result: dict[str, Any]) -> str:
    """A table of figures and a table of recalls of one judged split."""
    rows = [
        "| {} | {:.1f} % | {:.1f} – {:.1f} % |".format(
            key, *(100 * one[part] for part in ("value", "low", "high"))
        )
        for key, one in result.items()
        if isinstance(one, dict) and "low" in one
    ]
    recalls = [f"| {label} | {100 * recall:.0f} % |" for label, recall in result["recall"].items()]
    return "\n".join(
        [
            f"{result['utterances']} utterances of the {name} speakers "
            f"({', '.join(result['speakers'])}), none of whom was trained on. "
            f"Expected calibration error {result['ECE']:.3f}. "
            "Intervals: 95 %, bootstrap over speakers.",
            *([] if name != "validation" else ["", result["caution"]]),
            "",
            "| figure | value | interval |",
            "|---|---|---|",
            *rows,
            "",
            *_aligned(result.get("alignment")),
            "| class | recall |",
            "|---|---|",
            *recalls,
        ]
    )


def _aligned(alignment: dict[str, float | None] | None) -> list[str]:
    """A sentence on attention and amplitude."""
    if alignment is None:
        return []
    focus = alignment["focus_hit"]
    centres = "" if focus is None else f", and {100 * focus:.0f} % of the focus centres do"
    return [
        f"Attention and amplitude: correlation {alignment['correlation']:.2f}; in "
        f"{100 * (alignment['peak_hit'] or 0):.0f} % of the utterances the most attended frame "
        f"lies within 0.1 s of the loudest{centres}.",
        "",
    ]


def _people(names: tuple[str, ...]) -> str:
    return f"{len(names)} speaker{'' if len(names) == 1 else 's'}"
