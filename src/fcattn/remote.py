"""Repositories of the Hugging Face Hub: fetch one, publish one; the only file that uses a network.

Of a repository only the four files of a checkpoint are ever asked for, by our names for them, and
each is measured before it is fetched. Nothing in it is run or unpickled.
"""

from __future__ import annotations

import re
from pathlib import Path

from huggingface_hub import (
    CommitOperationAdd,
    HfApi,
    constants,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.errors import HFValidationError

from fcattn import card, checkpoint
from fcattn.checkpoint import CONFIG, FILES, WEIGHTS
from fcattn.errors import CheckpointError, HubError
from fcattn.refusals import UnreachableError, explained, no_name

COMMIT = re.compile(r"[0-9a-f]{40}")


def pull(repository: str, revision: str = "main") -> Path:
    """The checkpoint folder of a repository, in the cache; fetched if it is not there yet.

    A commit that is in the cache is taken without a request, and so is everything when
    ``HF_HUB_OFFLINE`` is set or no network is there.

    Args:
        repository: ``owner/repo``.
        revision: Branch, tag or commit.

    Raises:
        HubError: If it cannot be reached and is not in the cache, or does not exist.
        CheckpointError: If a file is missing or larger than a checkpoint's can be.
    """
    warm = cached(repository, revision)
    if constants.HF_HUB_OFFLINE or (warm and COMMIT.fullmatch(revision)):
        if warm is None:
            raise _cold(repository, revision, "HF_HUB_OFFLINE is set")
        return warm
    try:
        with explained(repository, revision):
            return _fetch(repository, revision)
    except UnreachableError as error:
        if warm is None:
            raise _cold(repository, revision, str(error)) from None
        return warm


def cached(repository: str, revision: str) -> Path | None:
    """The folder of a repository in the cache, if all four files are there; asks nobody."""
    try:
        paths = [try_to_load_from_cache(repository, name, revision=revision) for name in FILES]
    except HFValidationError as error:
        raise no_name(repository, error) from None
    if not all(isinstance(path, str) for path in paths):
        return None
    return Path(str(paths[0])).parent


def push(
    folder: Path,
    repository: str,
    *,
    private: bool = False,
    revision: str | None = None,
    tag: str | None = None,
) -> str:
    """Publish a checkpoint folder.

    Args:
        folder: With the four files, which are loaded strictly first.
        repository: ``owner/repo``; made if it is not there.
        private: True makes a new repository visible to its owner only.
        revision: Branch; ``main`` by default.
        tag: Name for the commit, for example ``v1``.

    Returns:
        The commit.

    Raises:
        CheckpointError: If the folder is no checkpoint, or lacks what must be known of published
            weights.
        HubError: If the Hub refuses or cannot be reached.
    """
    review(folder)
    api = HfApi(library_name="fcattn")
    with explained(repository, revision or "main"):
        api.create_repo(repository, private=private, exist_ok=True)
        commit = api.create_commit(
            repository,
            [CommitOperationAdd(name, folder / name) for name in FILES],
            commit_message=f"fcattn: {folder.resolve().name}",
            revision=revision,
        )
        if tag is not None:
            api.create_tag(repository, tag=tag, revision=commit.oid, exist_ok=False)
    return str(commit.oid)


def review(folder: Path) -> list[tuple[str, int]]:
    """Look at a folder as ``push`` does; returns names and sizes of what would be published.

    Raises:
        CheckpointError: If licence, data set, split or metrics are missing, or the card's header is
            not one that the Hub understands.
    """
    found = checkpoint.load(folder)
    about = found.provenance
    missing = [
        word
        for word, there in (
            ("licence", about.licence),
            ("data set (corpora)", about.corpora),
            ("split (trained_on and validated_on or tested_on)", _has_split(found)),
            ("metrics (results)", found.results),
        )
        if not there
    ]
    if missing:
        raise CheckpointError(
            f"{folder}: published weights must say their {', '.join(missing)}; fcattn release "
            "writes all of it"
        )
    card.check(folder)
    return [(name, (folder / name).stat().st_size) for name in FILES]


def _has_split(found: checkpoint.Checkpoint) -> bool:
    about = found.provenance
    return bool(about.trained_on and (about.validated_on or about.tested_on))


def _fetch(repository: str, revision: str) -> Path:
    """Fetch the four files of one commit, each measured first; the config before the weights."""
    first = get_hf_file_metadata(hf_hub_url(repository, CONFIG, revision=revision))
    _measure(repository, CONFIG, first.size, checkpoint.LARGEST[CONFIG])
    config = Path(hf_hub_download(repository, CONFIG, revision=revision))
    commit = first.commit_hash or revision
    limits = {
        **checkpoint.LARGEST,
        WEIGHTS: checkpoint.largest_weights(checkpoint.read_config(config)),
    }
    for name in FILES[1:]:
        size = get_hf_file_metadata(hf_hub_url(repository, name, revision=commit)).size
        _measure(repository, name, size, limits[name])
        hf_hub_download(repository, name, revision=commit)
    return config.parent


def _measure(repository: str, name: str, size: int | None, most: int) -> None:
    if size is None or size > most:
        raise CheckpointError(
            f"{repository}: {name} has {size or 'unknown'} bytes, expected at most {most}: "
            "not fetched"
        )


def _cold(repository: str, revision: str, why: str) -> HubError:
    return HubError(
        f"{repository}@{revision} is not in the cache {constants.HF_HUB_CACHE}, and {why}. With a "
        f"network: fcattn pull {repository}@{revision}; or copy a checkpoint folder and give its "
        "path"
    )
