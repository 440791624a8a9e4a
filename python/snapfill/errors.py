"""What goes wrong, one exception a kind.

Every exception of snapfill is a :class:`SnapfillError`. Its class says what kind of trouble it is, ``code`` says the same as a
word that never changes, and ``retryable`` whether the same call may succeed if made again later::

    try:
        backfill.start()
    except snapfill.UnavailableError as error:
        ...
    except snapfill.SnapfillError as error:
        print(error.code, error, error.context.get("file"))
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

__all__ = [
    "AuthError",
    "CancelledError",
    "ConfigError",
    "ConflictError",
    "CorruptError",
    "IncompleteError",
    "InvalidStateError",
    "LeaseLostError",
    "NotFoundError",
    "RateLimitedError",
    "SnapfillError",
    "StorageError",
    "UnavailableError",
    "UnexpectedError",
    "UnsupportedError",
]


class SnapfillError(Exception):
    """Anything that goes wrong in snapfill. Its text says what happened, to what, and what to do."""

    code: ClassVar[str] = "UNEXPECTED"
    """The kind as one word, stable across releases."""

    retryable: bool
    """Whether the same call may succeed if made again later."""

    retry_after: timedelta | None
    """How long the other side asks us to wait before the next try, where it says."""

    context: dict[str, str]
    """Where it happened, by name: ``file``, ``shard``, ``repository``, and so on."""

    def __init__(
        self,
        message: str,
        *,
        retryable: bool = False,
        retry_after: timedelta | None = None,
        context: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.retry_after = retry_after
        self.context = dict(context or {})

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), self.args, self.__dict__


class ConfigError(SnapfillError, ValueError):
    """The settings are wrong or contradict each other: mend them."""

    code = "CONFIG"


class AuthError(SnapfillError):
    """The other side does not know us or does not let us: check the credentials."""

    code = "AUTH"


class NotFoundError(SnapfillError):
    """What was named is not there: a repository, a snapshot, an index, a document."""

    code = "NOT_FOUND"


class UnavailableError(SnapfillError):
    """The other side cannot be reached or is not ready: try again later."""

    code = "UNAVAILABLE"


class RateLimitedError(SnapfillError):
    """The other side asks us to slow down."""

    code = "RATE_LIMITED"


class ConflictError(SnapfillError):
    """Somebody else changed it first: read it again."""

    code = "CONFLICT"


class LeaseLostError(SnapfillError):
    """The lease ran out or went to another worker."""

    code = "LEASE_LOST"


class CorruptError(SnapfillError):
    """Bytes are not what their format says."""

    code = "CORRUPT"


class UnsupportedError(SnapfillError):
    """A format, version or feature that this build does not read."""

    code = "UNSUPPORTED"


class IncompleteError(SnapfillError):
    """The books do not balance, or a snapshot lacks shards."""

    code = "INCOMPLETE"


class InvalidStateError(SnapfillError):
    """Not allowed in the present state, for example a start after a stop."""

    code = "STATE"


class CancelledError(SnapfillError):
    """The work was asked to stop, for example by a pause while its end was waited for."""

    code = "CANCELLED"


class StorageError(SnapfillError):
    """The operating system refused a read or a write: a full disk, a missing right."""

    code = "IO"


class UnexpectedError(SnapfillError):
    """A defect of snapfill. Please report it."""

    code = "UNEXPECTED"


_KINDS: dict[str, type[SnapfillError]] = {kind.code: kind for kind in SnapfillError.__subclasses__()}


def _of_kind(
    code: str,
    message: str,
    retryable: bool,
    retry_after: timedelta | None,
    context: Mapping[str, str],
) -> SnapfillError:
    """The exception of a kind. The native half calls it."""
    kind = _KINDS.get(code, UnexpectedError)
    return kind(message, retryable=retryable, retry_after=retry_after, context=context)
