"""The blocking handles. A call that blocks lets other threads run, and Ctrl-C ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Literal, overload

from . import _data, _handles, _native
from ._handles import BATCH, FailureClass, PathLike, optional_path, optional_text, text_of
from ._native import Document
from .errors import SnapfillError
from .events import Event, _read
from .model import (
    ClusterHealth,
    ClusterInfo,
    DeepStatus,
    FailedDocument,
    FailedSummary,
    GradualStep,
    IndexInfo,
    IndexRow,
    Plan,
    RateLimits,
    Redriven,
    Report,
    SnapshotInfo,
    SnapshotSummary,
    Status,
)

__all__ = ["Backfill", "Cluster", "Documents", "Events", "FailedDocuments", "GradualScaling", "Repository", "Snapshot"]


@contextmanager
def _pausing(backfill: _native.Backfill) -> Iterator[None]:
    """Pauses the workers of this process when the block is left by an interruption, most often Ctrl-C."""
    try:
        yield
    except SnapfillError:
        raise
    except BaseException:
        backfill.interrupt().wait()
        raise


class Repository(_handles.RepositoryHandle):
    """A snapshot repository: a folder, or a URL."""

    def snapshots(self) -> list[SnapshotSummary]:
        """Its snapshots, in the order of the catalogue.

        :raises NotFoundError: There is no repository.
        :raises UnsupportedError: Its location or layout is not read.
        :raises CorruptError: Its catalogue cannot be understood.
        """
        return _data.many(SnapshotSummary, self._native.snapshots().wait())

    def snapshot(self, name: str) -> Snapshot:
        """The snapshot of that name. Nothing is read before it is asked for something."""
        return Snapshot(name, self._native.snapshot(name))


class Snapshot(_handles.SnapshotHandle):
    """One snapshot of a repository."""

    def info(self) -> SnapshotInfo:
        """What it says of itself.

        :raises NotFoundError: There is no such snapshot; the text has the names there are.
        :raises IncompleteError: It is PARTIAL, and that was not allowed.
        :raises InvalidStateError: It failed, or was not finished.
        """
        return _data.one(SnapshotInfo, self._native.info().wait())

    def indices(self) -> list[IndexInfo]:
        """Its indices with their settings, mappings and aliases, ordered by name."""
        return _data.many(IndexInfo, self._native.indices().wait())

    def documents(self, index: str | None = None, shard: int | None = None) -> Documents:
        """The documents of all indices or of one, of all their shards or of those with one number.

        Nothing is read before the first document is asked for.

        :param index: The index's name; None: all of them.
        :param shard: The shard's number within its index; None: all of them.
        """
        return Documents(self._native.documents(index, shard))


class Documents(Iterator[Document]):
    """Documents of a snapshot, ordered by index and shard. Iterate over it, or over its :meth:`batches`."""

    def __init__(self, native: _native.DocumentStream) -> None:
        self._native = native
        self._batch: list[Document] = []

    def __iter__(self) -> Documents:
        return self

    def __next__(self) -> Document:
        if not self._batch:
            batch = self._native.next_batch(BATCH).wait()
            if batch is None:
                raise StopIteration
            batch.reverse()
            self._batch = batch
        return self._batch.pop()

    def batches(self, size: int = BATCH) -> Iterator[list[Document]]:
        """The documents that are left, in lists of ``size`` or fewer.

        :raises NotFoundError: There is no such repository, snapshot, index or shard.
        :raises CorruptError: Bytes are not what they should be; the context says in which file.
        :raises UnsupportedError: A format that is not read.
        """
        if self._batch:
            begun, self._batch = self._batch[::-1], []
            for first in range(0, len(begun), size):
                yield begun[first : first + size]
        while (batch := self._native.next_batch(size).wait()) is not None:
            yield batch

    @property
    def skipped(self) -> dict[str, int]:
        """Live documents that had no source to give, by reason, of those read so far; ``shard_missing`` counts shards."""
        return self._native.skipped()

    def close(self) -> None:
        """Stops reading and lets go of everything."""
        self._native.close().wait()

    def __enter__(self) -> Documents:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Cluster(_handles.ClusterHandle):
    """A search cluster at an address, or the local one in a folder."""

    def info(self) -> ClusterInfo:
        """Who it is.

        :raises UnavailableError: It cannot be reached.
        :raises AuthError: It does not let us in.
        :raises NotFoundError: The folder holds none.
        """
        return _data.one(ClusterInfo, self._native.info().wait())

    def health(self) -> ClusterHealth:
        """How it fares."""
        return _data.one(ClusterHealth, self._native.health().wait())

    def indices(self) -> list[IndexRow]:
        """The indices it has, ordered by name."""
        return _data.many(IndexRow, self._native.indices().wait())

    def count(self, index: str) -> int:
        """How many documents an index shows.

        :raises NotFoundError: There is no such index.
        """
        return self._native.count(index).wait()

    def refresh(self, index: str) -> None:
        """Makes what was written visible to :meth:`count` and searches."""
        self._native.refresh(index).wait()


class Events(Iterator[Event]):
    """The events of a backfill from the moment on that it was asked for. It ends once the workers are gone.

    Ctrl-C while the next one is waited for pauses the workers of this process, as in :meth:`Backfill.wait`.
    """

    def __init__(self, native: _native.EventStream, backfill: _native.Backfill) -> None:
        self._native = native
        self._backfill = backfill
        self._batch: list[Event] = []

    def __iter__(self) -> Events:
        return self

    def __next__(self) -> Event:
        if not self._batch:
            self._batch = self._next(BATCH)[::-1]
            if not self._batch:
                raise StopIteration
        return self._batch.pop()

    def batches(self, size: int = BATCH) -> Iterator[list[Event]]:
        """The events in lists of ``size`` or fewer: what has happened since the last one."""
        while batch := self._next(size):
            yield batch

    def ready(self) -> list[Event]:
        """What has happened since it was last asked, without waiting for more."""
        begun, self._batch = self._batch[::-1], []
        return begun + _read(self._native.ready().wait())

    def _next(self, size: int) -> list[Event]:
        with _pausing(self._backfill):
            return _read(self._native.next_batch(size).wait())


class FailedDocuments(Iterator[FailedDocument]):
    """Documents that the target refused. Iterate over it, or over its :meth:`batches`."""

    def __init__(self, native: _native.FailedDocumentStream) -> None:
        self._native = native
        self._batch: list[FailedDocument] = []

    def __iter__(self) -> FailedDocuments:
        return self

    def __next__(self) -> FailedDocument:
        if not self._batch:
            self._batch = _data.many(FailedDocument, self._native.next_batch(BATCH).wait())[::-1]
            if not self._batch:
                raise StopIteration
        return self._batch.pop()

    def batches(self, size: int = BATCH) -> Iterator[list[FailedDocument]]:
        """The documents that are left, in lists of ``size`` or fewer.

        :raises CorruptError: A file that holds them is damaged.
        """
        if self._batch:
            begun, self._batch = self._batch[::-1], []
            for first in range(0, len(begun), size):
                yield begun[first : first + size]
        while batch := _data.many(FailedDocument, self._native.next_batch(size).wait()):
            yield batch


class GradualScaling(Iterator[GradualStep]):
    """The steps of a fleet that is made larger as long as the target is well. Iterating over it makes them."""

    def __init__(self, native: _native.GradualScaling) -> None:
        self._native = native

    def __iter__(self) -> GradualScaling:
        return self

    def __next__(self) -> GradualStep:
        step = _data.maybe(GradualStep, self._native.next().wait())
        if step is None:
            raise StopIteration
        return step


class Backfill(_handles.BackfillHandle):
    """Fills a target with the documents of a snapshot.

    Every verb may be repeated, and in any order; what is not allowed now raises :class:`~snapfill.InvalidStateError`. As a
    context manager it pauses the backfill at the end of the block, so that nothing is left running::

        with snapfill.Backfill(repository="/backups", snapshot="nightly", target="./filled", workers=2) as backfill:
            backfill.start()
            print(backfill.wait())
    """

    def plan(self) -> Plan:
        """What a run would do. Changes nothing.

        :raises NotFoundError: The selection names what is not there.
        """
        return _data.one(Plan, self._native.plan().wait())

    def start(self) -> None:
        """Plans, makes the indices, and brings up as many workers as are configured.

        :raises InvalidStateError: The session is about another run, or was stopped.
        """
        self._native.start().wait()

    def scale(self, workers: int) -> None:
        """Sets the number of workers. From 0 it starts the backfill."""
        self._native.scale(workers).wait()

    def scale_gradually(
        self,
        workers: int,
        *,
        step: int | None = None,
        settle: timedelta | float | None = None,
        max_cpu_percent: int | None = None,
        max_heap_percent: int | None = None,
        max_queue_percent: int | None = None,
        max_queue_requests: int | None = None,
        min_free_disk_bytes: int | None = None,
        worst_status: Literal["green", "yellow", "red"] | None = None,
    ) -> GradualScaling:
        """Sets the number of workers step by step, as long as the target is well. Iterating over it makes the steps::

            for step in backfill.scale_gradually(10):
                print(step)  # Up to 2 workers: the target is well

        It ends when the goal is reached and the target still well, when nothing is left to be done, or when somebody else
        sent the workers away. Who stops iterating leaves the workers as they are. A figure that the target does not tell
        decides nothing.

        :param workers: How many there are to be in the end.
        :param step: Workers that one step adds; None: as many as there are, and once a size was too large, one at a time.
        :param settle: How long the target must have been well since the last step, in seconds unless it is a ``timedelta``;
            None: a minute.
        :param max_cpu_percent: Processor in use on the busiest node up to which workers are added; None: 80. Halfway from
            there to 100 they are taken away.
        :param max_heap_percent: The same for the heap of the node that uses most; None: 85.
        :param max_queue_percent: The same for the write queue of the node where it is fullest; None: 50.
        :param max_queue_requests: Bulk requests that wait, for each node that holds data, up to which workers are added, where
            the target does not tell how full its queue is; None: 100. At five times as many they are taken away.
        :param min_free_disk_bytes: Bytes free on the fullest node below which no workers are added, where the target does not
            tell its watermarks; None: 10 GiB. Below half of it they are taken away.
        :param worst_status: The worst colour with which workers are added; None: green.
        :raises ConfigError: An option makes no sense.
        """
        options = _handles.gradual(
            step,
            settle,
            max_cpu_percent,
            max_heap_percent,
            max_queue_percent,
            max_queue_requests,
            min_free_disk_bytes,
            worst_status,
        )
        return GradualScaling(self._native.scale_gradually(workers, options))

    def pause(self) -> None:
        """Sends all workers away and waits until they are gone. What they had done is kept; :meth:`start` goes on there."""
        self._native.pause().wait()

    def stop(self, folder: PathLike | None = None) -> Path | None:
        """Ends the backfill for good: archives the working state to a file, reads it back, and only then deletes it.

        :param folder: Where the file goes; None: ``$SHARED_LOGS_DIR_PATH/backfill_working_state``, or else
            ``./backfill_working_state``.
        :returns: The file; None when there was no working state.
        :raises StorageError: The file cannot be written; then nothing is deleted.
        """
        return optional_path(self._native.stop(optional_text(folder)).wait())

    def archive(self, folder: PathLike | None = None) -> Path | None:
        """The same as :meth:`stop`, for a backfill whose workers are gone.

        :raises InvalidStateError: Workers are at it.
        """
        return optional_path(self._native.archive(optional_text(folder)).wait())

    def restore(self, file: PathLike) -> None:
        """Brings a stopped backfill back to where it was. :meth:`start` then goes on.

        :raises NotFoundError: There is no such file.
        :raises CorruptError: It is damaged.
        :raises InvalidStateError: It is of another session, target or run, or the session has a working state already.
        """
        self._native.restore(text_of(file)).wait()

    def reset(self, folder: PathLike | None = None) -> Path | None:
        """The same as :meth:`stop`, and then the session may be begun anew."""
        return optional_path(self._native.reset(optional_text(folder)).wait())

    @overload
    def status(self, deep: Literal[False] = False) -> Status: ...

    @overload
    def status(self, deep: Literal[True]) -> DeepStatus: ...

    @overload
    def status(self, deep: bool) -> Status | DeepStatus: ...

    def status(self, deep: bool = False) -> Status | DeepStatus:
        """Whether workers are at it, and, if it is to be ``deep``, how far the work is."""
        if deep:
            return _data.one(DeepStatus, self._native.deep_status().wait())
        return _data.one(Status, self._native.status().wait())

    def limits(self) -> RateLimits:
        """Ceilings of what each process that works on the run sends."""
        return _data.one(RateLimits, self._native.limits().wait())

    def limit(self, *, documents_per_second: int | None, bytes_per_second: int | None) -> None:
        """Changes both ceilings while it runs: here at once, in other processes that work on the run within some seconds.

        :param documents_per_second: Documents a second; None: no ceiling.
        :param bytes_per_second: Bytes of documents a second, before compression; None: no ceiling.
        :raises InvalidStateError: Nothing was planned.
        """
        limits = {"documents_per_second": documents_per_second, "bytes_per_second": bytes_per_second}
        self._native.limit(limits).wait()

    def failed_summary(self) -> FailedSummary:
        """How many documents the target refused, and why. Those that were sent again with success do not count."""
        return _data.one(FailedSummary, self._native.failed_summary().wait())

    def failed_documents(
        self,
        *,
        indices: Iterable[str] | str | None = None,
        classes: Iterable[FailureClass] | FailureClass | None = None,
    ) -> FailedDocuments:
        """The documents that the target refused, with their bytes and its words. Nothing is read before the first one.

        :param indices: Those of these indices, by their name in the snapshot or in the target; None: of all.
        :param classes: Those of these classes; None: of all.
        """
        return FailedDocuments(self._native.failed_documents(_handles.failed_filter(indices, classes)))

    def redrive(
        self,
        *,
        indices: Iterable[str] | str | None = None,
        classes: Iterable[FailureClass] | FailureClass | None = None,
    ) -> Redriven:
        """Sends failed documents again, to the index they were meant for.

        What is taken is none any more; what is refused again stays. May be repeated.

        :param indices: As of :meth:`failed_documents`.
        :param classes: As of :meth:`failed_documents`.
        """
        return _data.one(Redriven, self._native.redrive(_handles.failed_filter(indices, classes)).wait())

    def report(self) -> Report:
        """What was moved so far: of a run that is going on, has ended, or was stopped and archived. ``str()`` of it is Markdown.

        :raises NotFoundError: Nothing was begun under the session.
        """
        return _data.one(Report, self._native.report().wait())

    def wait(self) -> str:
        """Waits for the end of the run: ``completed``, ``completed_with_errors`` or ``failed``.

        When it is interrupted, by Ctrl-C, it pauses the workers of this process before it raises: they write how far they are, and
        :meth:`start` goes on there. A fleet elsewhere goes on.

        :raises CancelledError: The backfill was paused or stopped.
        """
        with _pausing(self._native):
            return self._native.wait().wait()

    def events(self) -> Events:
        """What happens from now on. Ask for it before :meth:`start` to miss nothing."""
        return Events(self._native.events(), self._native)

    def run(self, on_event: Callable[[Event], object] | None = None) -> str:
        """Starts, waits for the end, and says how the run ended, as :meth:`wait` does.

        When it is interrupted, by Ctrl-C or by an exception of ``on_event``, it pauses the workers of this process before it
        raises: they write how far they are, and another run goes on there. A fleet elsewhere goes on.

        :param on_event: Called with every event, in this thread.
        """
        events = self.events() if on_event is not None else None
        try:
            self.start()
            if events is not None and on_event is not None:
                for event in events:
                    on_event(event)
            return self.wait()
        except BaseException:
            self._native.interrupt().wait()
            raise

    def __enter__(self) -> Backfill:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pause()
