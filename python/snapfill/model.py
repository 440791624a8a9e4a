"""What snapfill tells, as plain data: snapshots and indices, plans, status, clusters.

Every class has the fields of the native one of the same name; times and durations come as ``datetime`` and ``timedelta``, too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

__all__ = [
    "Books",
    "ClusterHealth",
    "ClusterInfo",
    "Counts",
    "DeepStatus",
    "FailedDocument",
    "FailedSummary",
    "FailedWork",
    "FailureGroup",
    "FleetCounts",
    "GradualStep",
    "IndexInfo",
    "IndexRow",
    "IndexWork",
    "MissingShard",
    "Plan",
    "PlanWarning",
    "PlannedIndex",
    "PlannedShard",
    "PlannedTarget",
    "Rate",
    "RateLimits",
    "Redriven",
    "Report",
    "ReportedIndex",
    "ReportedTarget",
    "Sending",
    "SnapshotInfo",
    "SnapshotSummary",
    "Status",
    "TargetCheck",
    "Work",
    "WorkerSending",
]


def _time(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, timezone.utc)


def _parse(data: object, *names: str) -> None:
    """Reads fields that are JSON in a text of their own."""
    for name in names:
        value = getattr(data, name)
        if isinstance(value, str):
            object.__setattr__(data, name, json.loads(value))


@dataclass(frozen=True, slots=True)
class SnapshotSummary:
    """One snapshot as the repository's catalogue lists it."""

    name: str
    """Its name."""
    uuid: str
    """Its uuid."""
    state: str | None
    """``SUCCESS``, ``PARTIAL``, ``FAILED``, ``IN_PROGRESS`` or ``INCOMPATIBLE``; None where the catalogue does not say."""
    version: str | None
    """The version that made it, as the catalogue has it."""
    indices: int
    """How many indices it holds."""


@dataclass(frozen=True, slots=True)
class MissingShard:
    """A shard that the snapshot does not hold."""

    index: str
    """Its index."""
    shard: int
    """Its number."""
    reason: str | None
    """Why, in the server's words."""


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    """What a snapshot says of itself."""

    name: str
    """Its name."""
    uuid: str
    """Its uuid: two snapshots of one name made at different times differ in it."""
    state: str
    """``SUCCESS`` or ``PARTIAL``: others cannot be read."""
    version: str
    """The version that made it."""
    indices: list[str]
    """The names of its indices, sorted."""
    started_ms: int
    """When it began, milliseconds since the epoch."""
    ended_ms: int
    """When it ended, milliseconds since the epoch."""
    total_shards: int
    """Shards it was asked to hold."""
    successful_shards: int
    """Shards it holds."""
    missing: list[MissingShard]
    """Shards it does not hold."""

    @property
    def started(self) -> datetime | None:
        """When it began."""
        return _time(self.started_ms)

    @property
    def ended(self) -> datetime | None:
        """When it ended."""
        return _time(self.ended_ms)


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """What an index was when the snapshot was taken."""

    name: str
    """Its name."""
    uuid: str
    """Its uuid in the source cluster."""
    shards: int
    """How many shards it has."""
    replicas: int
    """How many replicas each shard had."""
    created_by: str
    """The version that created it."""
    settings: dict[str, Any]
    """Its settings, flat: ``{"index.number_of_shards": "2"}``."""
    mappings: dict[str, Any]
    """Its mappings."""
    aliases: dict[str, Any]
    """Its aliases by name."""

    def __post_init__(self) -> None:
        _parse(self, "settings", "mappings", "aliases")


@dataclass(frozen=True, slots=True)
class PlannedShard:
    """How much there is in a shard."""

    documents: int
    """Documents that are not deleted, nested children among them."""
    deleted: int
    """Deleted documents that are still there."""
    stored_bytes: int
    """Bytes of the stored fields, compressed."""
    total_bytes: int
    """Bytes of all files of the shard."""
    segments: int
    """Segments."""


@dataclass(frozen=True, slots=True)
class PlannedIndex:
    """What a run would do with one index."""

    name: str
    """Its name."""
    decision: str
    """``migrate``; ``skip``: it was not asked for; ``refuse``: it was, and cannot be, so that no run begins."""
    reason: str | None
    """Why it is skipped or refused."""
    targets: list[str]
    """The indices of the target that its documents go to."""
    shards: list[PlannedShard]
    """Its shards; none for an index that is skipped."""
    missing: list[int]
    """The numbers of shards that the snapshot does not hold."""
    warnings: list[str]
    """What its reader should know before the run."""


@dataclass(frozen=True, slots=True)
class PlannedTarget:
    """What happens to one index or data stream of the target."""

    name: str
    """Its name."""
    sources: list[str]
    """The indices of the snapshot that go there; ``index/type`` for one type of an index."""
    exists: bool
    """Whether it is there already; it is then kept as it is."""
    is_data_stream: bool
    """Whether it is a data stream."""
    definition: dict[str, Any] | None
    """What it is made with: settings, mappings and aliases; None where it is there."""
    left_out: list[str]
    """What of the snapshot's definition does not go along, and why."""
    warnings: list[str]
    """What its reader should know before the run."""

    def __post_init__(self) -> None:
        if isinstance(self.definition, str):
            object.__setattr__(self, "definition", json.loads(self.definition))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do. Nothing of it is done yet."""

    repository: str
    """The location of the repository."""
    snapshot: str
    """The snapshot's name."""
    snapshot_uuid: str
    """The snapshot's uuid."""
    version: str
    """The version that made it."""
    indices: list[PlannedIndex]
    """Every index of the snapshot, sorted by name."""
    targets: list[PlannedTarget]
    """The indices of the target that are filled, sorted by name."""

    @property
    def migrated(self) -> list[PlannedIndex]:
        """The indices that are migrated."""
        return [index for index in self.indices if index.decision == "migrate"]


@dataclass(frozen=True, slots=True)
class FleetCounts:
    """How many workers there are."""

    running: int
    """Up."""
    pending: int
    """On their way."""
    desired: int
    """Wanted."""
    terminating: int
    """Going away."""


@dataclass(frozen=True, slots=True)
class GradualStep:
    """A step of a gradual scaling, or the reason why there is none for now. As text it is one line."""

    action: str
    """What becomes of the number of workers: ``up``, ``hold``, ``down``, or ``done`` when the scaling is over."""
    workers: int
    """How many there are to be now."""
    reason: str
    """Why."""
    line: str
    """All of it in one line for people."""

    def __str__(self) -> str:
        return self.line


@dataclass(frozen=True, slots=True)
class Status:
    """The short status."""

    state: str
    """``NOT_STARTED``, ``STARTING``, ``RUNNING``, ``TERMINATING``, ``STOPPED`` or ``FAILED``. It follows the fleet, not the work."""
    fleet: FleetCounts
    """The fleet."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many are in which state."""

    total: int
    """All."""
    completed: int
    """Done."""
    incomplete: int
    """Not done: in progress, waiting or given up."""
    in_progress: int
    """Held by a worker."""
    unclaimed: int
    """Waiting for a worker."""
    failed: int
    """Given up after repeated failures."""


@dataclass(frozen=True, slots=True)
class Books:
    """What became of documents that were read: live = written + failed + skipped - added."""

    written: int
    """Acknowledged by the target."""
    failed: int
    """Refused by the target for good."""
    skipped: dict[str, int]
    """Not sent, by reason; ``shard_missing`` counts shards."""
    nested: int
    """Nested children: part of their root document's source, no documents of their own."""
    present: int
    """Of the written: already there and left alone."""
    overwritten: int
    """Of the written: replaced another document."""
    bytes: int
    """Source bytes of the written documents."""
    added: int
    """Of the written and the failed: more than one for each that was read, made by a transform."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast the workers came forward in the last minute; each a second."""

    documents: int
    """Documents that were settled."""
    bytes: int
    """Bytes of their sources."""
    stored: int
    """Bytes of stored fields that were done."""


@dataclass(frozen=True, slots=True)
class IndexWork:
    """The work on one index."""

    index: str
    """Its name."""
    shards: Counts
    """Its shards by state."""
    documents_done: int
    """Document numbers done, dead ones included."""
    documents_total: int
    """Document numbers in all, dead ones included."""
    bytes_done: int
    """Stored bytes done, compressed."""
    bytes_total: int
    """Stored bytes in all, compressed."""
    live: int
    """Live documents of its completed items."""
    books: Books
    """What became of its documents."""


@dataclass(frozen=True, slots=True)
class FailedWork:
    """An item that was given up."""

    index: str
    """Its index."""
    shard: int
    """Its shard."""
    reason: str
    """Why."""
    worker: str | None
    """Who had it last."""
    attempts: int
    """How often it was tried in vain."""


@dataclass(frozen=True, slots=True)
class Work:
    """The work of a session, summed up."""

    shards: Counts
    """Shards by state."""
    items: Counts
    """Work items by state."""
    bytes_done: int
    """Stored bytes done, compressed."""
    bytes_total: int
    """Stored bytes in all, compressed."""
    documents_done: int
    """Document numbers done, dead ones included."""
    documents_total: int
    """Document numbers in all, dead ones included."""
    books: Books
    """What became of the documents."""
    rate: Rate
    """How fast the workers were in the last minute."""
    eta_seconds: int | None
    """Seconds until all is done at this rate; None while that cannot be told, or nothing is left."""
    indices: list[IndexWork]
    """By index, sorted by name."""
    failed: list[FailedWork]
    """Items that were given up."""
    started_ms: int | None
    """When the first item was taken, milliseconds since the epoch."""
    finished_ms: int | None
    """When the last item was done, milliseconds since the epoch."""

    @property
    def started(self) -> datetime | None:
        """When the first item was taken."""
        return _time(self.started_ms)

    @property
    def finished(self) -> datetime | None:
        """When the last item was done."""
        return _time(self.finished_ms)

    @property
    def eta(self) -> timedelta | None:
        """How long until all is done at this rate."""
        return None if self.eta_seconds is None else timedelta(seconds=self.eta_seconds)


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Ceilings of what one worker process sends; None is no ceiling."""

    documents_per_second: int | None
    """Documents a second."""
    bytes_per_second: int | None
    """Bytes of documents a second."""


@dataclass(frozen=True, slots=True)
class WorkerSending:
    """How fast a worker sends."""

    worker: str
    """Its name."""
    in_flight: int
    """Bulks that are out."""
    limit: int
    """Bulks that may be out at a time now."""


@dataclass(frozen=True, slots=True)
class Sending:
    """How fast documents are sent, and whether they are sent at all."""

    paused: str | None
    """Why nothing is sent now, if so."""
    limits: RateLimits
    """Ceilings of each worker process."""
    workers: list[WorkerSending]
    """The workers of this process."""


@dataclass(frozen=True, slots=True)
class DeepStatus:
    """The deep status: the fleet and the work."""

    state: str
    """As in the short status."""
    fleet: FleetCounts
    """The fleet."""
    planned: bool
    """Whether planning is done; until then the counts are incomplete."""
    work: Work
    """The work."""
    end: str | None
    """``completed``, ``completed_with_errors`` or ``failed``, once the run has ended."""
    sending: Sending
    """How fast documents are sent."""


@dataclass(frozen=True, slots=True)
class ClusterInfo:
    """Who a cluster is."""

    distribution: str
    """``Elasticsearch``, ``OpenSearch`` or ``local directory``."""
    version: str
    """Its version, as it says."""
    name: str
    """The name it was given."""
    uuid: str
    """Its identity."""
    serverless: bool
    """Whether it is a serverless offering."""


@dataclass(frozen=True, slots=True)
class ClusterHealth:
    """How a cluster fares. A figure the cluster does not give is None."""

    status: str
    """``green``, ``yellow`` or ``red``."""
    data_nodes: int | None
    """Nodes that hold data."""
    write_queue: int | None
    """Bulk requests that wait, all nodes together."""
    write_rejections: int | None
    """Bulk requests refused since the nodes started, all nodes together."""
    heap_percent: int | None
    """Heap in use on the node that uses most, in percent."""
    cpu_percent: int | None
    """Processor in use on the busiest node, in percent."""
    disk_percent: int | None
    """Disk in use on the fullest node, in percent."""
    free_disk_bytes: int | None
    """Bytes free on the node that has the fewest."""
    writes_blocked: bool | None
    """Whether the cluster refuses writes, for want of disk or memory."""


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One index of a cluster."""

    index: str
    """Its name."""
    health: str | None
    """``green``, ``yellow`` or ``red``."""
    status: str | None
    """``open`` or ``close``."""
    uuid: str | None
    """Its identity."""
    primaries: int | None
    """Primary shards."""
    replicas: int | None
    """Copies of each shard beside the primary."""
    documents: int | None
    """Documents, nested ones included."""
    deleted: int | None
    """Documents that are deleted and still take space."""
    store_size: str | None
    """Size of all copies, for people: ``1.2mb``."""
    primary_store_size: str | None
    """Size of the primaries, for people."""


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failures of one kind."""

    index: str
    """The index that was to receive them."""
    failure_class: str
    """What kind of failure it was: ``mapping``, ``too_large``, ``version``, ``transform`` or ``other``."""
    error_type: str
    """The target's word for it."""
    documents: int
    """How many."""
    example_ids: list[str]
    """The ids of the first of them."""
    example_reason: str
    """The target's explanation for the first one."""
    remedy: str
    """What may help."""


@dataclass(frozen=True, slots=True)
class FailedSummary:
    """How many documents the target refused and still refuses, and why."""

    total: int
    """All of them."""
    groups: list[FailureGroup]
    """By index, class and the target's word; the most frequent first."""


@dataclass(frozen=True, slots=True)
class FailedDocument:
    """A document that the target refused for good."""

    index: str
    """The index that was to receive it."""
    id: str
    """``_id``."""
    routing: str | None
    """``_routing``, where it has its own."""
    operation: str
    """What was to be done with an id that is there already: ``index`` or ``create``."""
    failure_class: str
    """What kind of failure it was: ``mapping``, ``too_large``, ``version``, ``transform`` or ``other``."""
    status: int
    """The HTTP status of the item."""
    error_type: str
    """The target's word for it."""
    reason: str
    """The target's explanation."""
    source_index: str
    """The index of the snapshot."""
    shard: int
    """The shard of that index."""
    number: int
    """The document's number in the shard."""
    source: bytes
    """The document, as it was sent."""

    def json(self) -> Any:
        """The source, parsed."""
        return json.loads(self.source)


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of failed documents that were sent again."""

    written: int
    """Taken now."""
    failed: int
    """Refused again, or left alone because a transform failed on them."""
    reasons: dict[str, int]
    """The target's words for those, and how many of each."""


@dataclass(frozen=True, slots=True)
class PlanWarning:
    """What is to be known of an index before its documents are written."""

    index: str
    """The index, of the snapshot or of the target."""
    warning: str
    """What is to be known."""


@dataclass(frozen=True, slots=True)
class ReportedIndex:
    """One index of the snapshot."""

    index: str
    """Its name in the snapshot."""
    targets: list[str]
    """The indices of the target that its documents went to."""
    shards: Counts
    """Its shards by state."""
    live: int
    """Live documents of its work items that are done."""
    books: Books
    """What became of them."""
    balanced: bool | None
    """Whether ``live`` = written + failed + skipped; None while some shard is not done."""


@dataclass(frozen=True, slots=True)
class ReportedTarget:
    """One index of the target."""

    index: str
    """Its name."""
    before: int | None
    """Its documents before the run, where that is known."""
    documents: int | None
    """Its documents now."""
    error: str | None
    """Why they could not be counted."""


@dataclass(frozen=True, slots=True)
class TargetCheck:
    """Indices of the target, against the books of the indices that went there."""

    targets: list[ReportedTarget]
    """The indices of the target."""
    sources: list[str]
    """The indices of the snapshot that went there."""
    redriven: int
    """Refused documents that were sent again with success."""
    expected: int | None
    """Documents that should be there; None where that cannot be told (yet)."""
    documents: int | None
    """Documents that are there."""
    difference: int | None
    """How many more there are than expected."""
    explanation: str
    """What to think of it."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a backfill has moved, at any time, also after a stop. As text it is Markdown. Holds no secret."""

    version: str
    """The release that made it."""
    made_ms: int
    """When it was made, milliseconds since the epoch."""
    session: str
    """The session's name, empty for the usual one."""
    snapshot: str
    """The snapshot that was read."""
    snapshot_uuid: str
    """Its uuid."""
    repository: str
    """The URL of its repository."""
    target: str
    """The address of the target."""
    state: str
    """Whether workers are at it, as in the status."""
    end: str | None
    """``completed``, ``completed_with_errors`` or ``failed``, once the run has ended."""
    archive: str | None
    """The archive that it is made from, where the backfill was stopped."""
    begun_ms: int
    """When it was planned, milliseconds since the epoch."""
    ended_ms: int | None
    """When the last work item was done, milliseconds since the epoch, once all are."""
    shards: Counts
    """Shards by state."""
    live: int
    """Live documents of the work items that are done."""
    books: Books
    """What became of the documents, all indices together."""
    balanced: bool | None
    """Whether ``live`` = written + failed + skipped; None while some shard is not done."""
    documents_per_second: int | None
    """Documents written a second, from the first work item to the last, pauses included; None before the end."""
    bytes_per_second: int | None
    """Bytes of their sources."""
    indices: list[ReportedIndex]
    """The indices of the snapshot that were moved, by name."""
    targets: list[TargetCheck]
    """What the target holds. An index stands in one of them; several stand in the same where they share indices of the target."""
    failures: FailedSummary | None
    """The documents that the target refused and that were not sent again with success; None where they cannot be read."""
    given_up: list[FailedWork]
    """Work items that were given up, at most a thousand."""
    warnings: list[PlanWarning]
    """What was to be known before the run."""
    settings: dict[str, Any]
    """How it was done."""
    notes: list[str]
    """What this report could not find out, and why."""
    markdown: str
    """All of it for people, as Markdown."""

    def __post_init__(self) -> None:
        _parse(self, "settings")

    @property
    def made(self) -> datetime | None:
        """When it was made."""
        return _time(self.made_ms)

    @property
    def begun(self) -> datetime | None:
        """When it was planned."""
        return _time(self.begun_ms)

    @property
    def ended(self) -> datetime | None:
        """When the last work item was done, once all are."""
        return _time(self.ended_ms)

    def __str__(self) -> str:
        return self.markdown
