"""What importing costs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

from bench.sides import Row, medians_s, ms

LATE = ("lightning", "torchmetrics", "torchaudio", "matplotlib", "huggingface_hub")


def rows() -> Iterator[Row]:
    """``import fcattn``, and with its classifier, against ``import torch``."""
    found = medians_s(
        {
            "fcattn": _python("import fcattn"),
            "classifier": _python("import fcattn; fcattn.from_pretrained"),
            "torch": _python("import torch"),
        }
    )
    for name, what in (("fcattn", "import fcattn"), ("classifier", "import its classifier")):
        more = found[name] - found["torch"]
        yield Row(
            what, "import torch", ms(found[name]), ms(found["torch"]), more, "≤ 0.2 s more",
            more <= 0.2, "s",
        )  # fmt: skip
    program = (
        f"import fcattn, sys; fcattn.from_pretrained; print(len({set(LATE)!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    early = int(done.stdout)
    what = f"imported before they are needed, of {', '.join(LATE)}"
    yield Row(what, "–", str(early), "–", early, "0", early == 0, "")


def _python(program: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, "-c", program], check=True)
