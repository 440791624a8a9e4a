"""What happens during a run, as it happens: one class a kind of event, made for ``match``::

    for event in backfill.events():
        match event:
            case Progress(index=index, documents=documents):
                ...
            case ItemFailed(reason=reason):
                ...
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Union

from . import _data
from .model import Books

__all__ = [
    "Archived",
    "DocumentFailed",
    "Event",
    "FleetChanged",
    "ItemCompleted",
    "ItemFailed",
    "ItemStarted",
    "Other",
    "Planned",
    "Progress",
    "Warning",
    "WorkerEnded",
]


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan is in the working state; this much is to be done."""

    shards: int
    """Shards."""
    documents: int
    """Documents that are not deleted."""
    bytes: int
    """Stored bytes, compressed."""


@dataclass(frozen=True, slots=True)
class Warning:  # noqa: A001
    """What is to be known of an index before its documents are written."""

    index: str
    """The index."""
    warning: str
    """What is to be known."""


@dataclass(frozen=True, slots=True)
class FleetChanged:
    """The fleet was told to be of another size."""

    desired: int
    """Workers that are wanted."""
    line: str
    """What its platform says."""


@dataclass(frozen=True, slots=True)
class Archived:
    """The working state is in a file, and is about to be deleted."""

    file: str
    """The file."""


@dataclass(frozen=True, slots=True)
class ItemStarted:
    """A worker took an item."""

    index: str
    """Its index."""
    shard: int
    """Its shard."""
    worker: str
    """Who took it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A bulk is settled."""

    index: str
    """Its index."""
    shard: int
    """Its shard."""
    documents: int
    """Documents settled by it."""
    bytes: int
    """Source bytes written by it."""


@dataclass(frozen=True, slots=True)
class DocumentFailed:
    """The target refused a document for good."""

    index: str
    """Its index."""
    shard: int
    """Its shard."""
    id: str
    """Its id."""
    reason: str
    """Why."""


@dataclass(frozen=True, slots=True)
class ItemCompleted:
    """An item is done and its books balance."""

    index: str
    """Its index."""
    shard: int
    """Its shard."""
    live: int
    """Live documents it has."""
    books: Books
    """What became of them."""


@dataclass(frozen=True, slots=True)
class ItemFailed:
    """Work on an item failed; it is tried again or, past the limit, given up."""

    index: str
    """Its index."""
    shard: int
    """Its shard."""
    reason: str
    """Why."""


@dataclass(frozen=True, slots=True)
class WorkerEnded:
    """A worker is gone."""

    worker: str
    """Which one."""
    error: str | None
    """Why, when it was an error."""


@dataclass(frozen=True, slots=True)
class Other:
    """Something else that is to be known, such as a change of pace."""

    name: str
    """Its name: ``concurrency_changed``, ``sending_paused``, ``sending_resumed``, or one of a later release."""
    fields: dict[str, Any]
    """Its fields."""

    def __post_init__(self) -> None:
        if isinstance(self.fields, str):
            object.__setattr__(self, "fields", json.loads(self.fields))


Event = Union[
    Planned,
    Warning,
    FleetChanged,
    Archived,
    ItemStarted,
    Progress,
    DocumentFailed,
    ItemCompleted,
    ItemFailed,
    WorkerEnded,
    Other,
]
"""Any of them."""

_KINDS: dict[str, type[Any]] = {
    "planned": Planned,
    "warning": Warning,
    "fleet_changed": FleetChanged,
    "archived": Archived,
    "item_started": ItemStarted,
    "progress": Progress,
    "document_failed": DocumentFailed,
    "item_completed": ItemCompleted,
    "item_failed": ItemFailed,
    "worker_ended": WorkerEnded,
}


def _read(text: str) -> list[Event]:
    """Events of the native half's JSON."""
    return [_event(value) for value in json.loads(text)]


def _event(value: dict[str, Any]) -> Event:
    name = value.pop("event")
    if name == "other":
        return Other(value["name"], value["fields"])
    kind = _KINDS.get(name)
    event: Event = Other(name, value) if kind is None else _data.of(kind, value)
    return event
