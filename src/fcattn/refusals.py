"""What the Hugging Face Hub or the network refuses with, as errors that say what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub import constants
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from fcattn.checkpoint import FILES
from fcattn.errors import CheckpointError, HubError

NETWORK: type[Exception] = HfHubHTTPError.__bases__[0]
"""Base of connection errors: of httpx or its successor, whichever huggingface_hub uses."""

TOKEN = re.compile(r"hf_\w+|Bearer \S+")


class UnreachableError(HubError):
    """No answer from the Hub."""


@contextmanager
def explained(repository: str, revision: str) -> Iterator[None]:
    """Turn what the Hub or the network says into errors of our own, without tokens.

    Args:
        repository: ``owner/repo`` that was asked for.
        revision: Branch, tag or commit that was asked for.

    Raises:
        UnreachableError: If nobody answered.
        CheckpointError: If a file of a checkpoint is not there.
        HubError: If the Hub refuses.
    """
    place = f"{repository}@{revision} at {constants.ENDPOINT}"
    try:
        yield
    except GatedRepoError:
        raise HubError(f"{place}: ask its owner for access, then log in: hf auth login") from None
    except RepositoryNotFoundError:
        raise HubError(
            f"{place}: no such repository, or it is private and you are not logged in: "
            "hf auth login"
        ) from None
    except RevisionNotFoundError:
        raise HubError(f"{place}: no such branch, tag or commit") from None
    except LocalEntryNotFoundError as error:
        raise UnreachableError(f"{constants.ENDPOINT}: {_clean(error)}") from None
    except EntryNotFoundError as error:
        missing = next((name for name in FILES if name in str(error)), "a file")
        raise CheckpointError(
            f"{place}: no {missing}; a checkpoint has {', '.join(FILES)}"
        ) from None
    except HFValidationError as error:
        raise no_name(repository, error) from None
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else "no status"
        if isinstance(status, int) and status >= 500:
            raise UnreachableError(f"{constants.ENDPOINT} answered {status}") from None
        hint = "; log in with a token that may write: hf auth login" if status in (401, 403) else ""
        raise HubError(f"{place}: refused with {status}{hint}: {_clean(error)}") from None
    except (NETWORK, OfflineModeIsEnabled, ConnectionError, TimeoutError) as error:
        raise UnreachableError(
            f"{constants.ENDPOINT} cannot be reached ({_clean(error)})"
        ) from None


def no_name(repository: str, error: HFValidationError) -> HubError:
    """What is wrong with the name of a repository."""
    return HubError(f"{repository}: not the name of a repository ({error})")


def _clean(error: Exception) -> str:
    """The first line of a message, without tokens."""
    return TOKEN.sub("[token]", str(error).strip().splitlines()[0] if str(error) else "no reason")
