"""``fcattn push`` and ``fcattn pull``."""

from __future__ import annotations

import shutil
from pathlib import Path

from rich.console import Console

from fcattn import checkpoint, hub, remote
from fcattn.errors import CheckpointError


def push(
    name: str,
    repository: str,
    *,
    private: bool,
    revision: str | None,
    tag: str | None,
    dry_run: bool,
) -> int:
    """Publish a model, or show what would be published; returns 0."""
    folder = hub.resolve(name, strict=True)
    console = Console(highlight=False, soft_wrap=True)
    about = checkpoint.read_provenance(folder)
    console.print(
        f"[bold]{about.name}[/] → {repository}, {'private' if private else 'public'}, branch "
        f"{revision or 'main'}{f', tag {tag}' if tag else ''}; licence {about.licence or '–'}"
    )
    for file, size in remote.review(folder):
        console.print(f"  {file:<20} {size:>12,} bytes")
    if dry_run:
        console.print("nothing was uploaded: --dry-run")
        return 0
    commit = remote.push(folder, repository, private=private, revision=revision, tag=tag)
    console.print(f'fcattn.from_pretrained("{repository}", revision="{tag or commit}")')
    return 0


def pull(name: str, out: str | None) -> int:
    """Fetch a model into the cache, or into a folder that can be copied; returns 0.

    Raises:
        CheckpointError: If the folder is there already, or what was fetched is no checkpoint.
    """
    folder = hub.resolve(name, strict=True)
    checkpoint.load(folder)
    if out is not None:
        target = Path(out)
        if target.exists():
            raise CheckpointError(f"{target} is there already: choose another --out")
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.part")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        for file in checkpoint.FILES:
            shutil.copyfile(folder / file, partial / file)
        folder = partial.rename(target)
    Console(highlight=False, soft_wrap=True).print(str(folder))
    return 0
