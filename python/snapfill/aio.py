"""The same as :mod:`snapfill`, to be awaited.

::

    async for document in snapfill.aio.Repository("/backups").snapshot("nightly").documents(index="logs"):
        print(document.id)

Cancelling a task cancels the call that it waits for; a batch of documents that was waited for is not lost. A task that waits for the
end of a backfill, or for its next event, pauses the workers of this process before it ends; ``asyncio.shield`` keeps them working.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Literal, TypeVar, overload

from . import _data, _handles, _native, _sync
from ._handles import (
    BATCH,
    Aws,
    EcsFleet,
    FailureClass,
    KubernetesFleet,
    PathLike,
    optional_path,
    optional_text,
    text_of,
)
from ._native import Document
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

__all__ = ["Aws", "Backfill", "Cluster", "Document", "Documents", "EcsFleet", "Events", "FailedDocuments", "GradualScaling", "KubernetesFleet", "Repository", "Snapshot"]

_C = TypeVar("_C", bound=type)


def _documented_as(blocking: type) -> Callable[[_C], _C]:
    """Gives methods without a text of their own that of the blocking method of the same name."""

    def document(kind: _C) -> _C:
        for name, member in vars(kind).items():
            of = member.fget if isinstance(member, property) else member
            if inspect.isfunction(of) and of.__doc__ is None and hasattr(blocking, name):
                of.__doc__ = inspect.getdoc(getattr(blocking, name))
        return kind

    return document


@asynccontextmanager
async def _pausing(backfill: _native.Backfill) -> AsyncIterator[None]:
    """Pauses the workers of this process when the task is cancelled within the block."""
    try:
        yield
    except asyncio.CancelledError:
        await backfill.interrupt()
        raise


@_documented_as(_sync.Repository)
class Repository(_handles.RepositoryHandle):
    """A snapshot repository: a folder, or a URL."""

    async def snapshots(self) -> list[SnapshotSummary]:
        return _data.many(SnapshotSummary, await self._native.snapshots())

    def snapshot(self, name: str) -> Snapshot:
        return Snapshot(name, self._native.snapshot(name))


@_documented_as(_sync.Snapshot)
class Snapshot(_handles.SnapshotHandle):
    """One snapshot of a repository."""

    async def info(self) -> SnapshotInfo:
        return _data.one(SnapshotInfo, await self._native.info())

    async def indices(self) -> list[IndexInfo]:
        return _data.many(IndexInfo, await self._native.indices())

    def documents(self, index: str | None = None, shard: int | None = None) -> Documents:
        return Documents(self._native.documents(index, shard))


@_documented_as(_sync.Documents)
class Documents(AsyncIterator[Document]):
    """Documents of a snapshot, ordered by index and shard. Iterate over it, or over its :meth:`batches`."""

    def __init__(self, native: _native.DocumentStream) -> None:
        self._native = native
        self._batch: list[Document] = []

    def __aiter__(self) -> Documents:
        return self

    async def __anext__(self) -> Document:
        if not self._batch:
            batch = await self._native.next_batch(BATCH)
            if batch is None:
                raise StopAsyncIteration
            batch.reverse()
            self._batch = batch
        return self._batch.pop()

    async def batches(self, size: int = BATCH) -> AsyncIterator[list[Document]]:
        if self._batch:
            begun, self._batch = self._batch[::-1], []
            for first in range(0, len(begun), size):
                yield begun[first : first + size]
        while (batch := await self._native.next_batch(size)) is not None:
            yield batch

    @property
    def skipped(self) -> dict[str, int]:
        return self._native.skipped()

    async def close(self) -> None:
        await self._native.close()

    async def __aenter__(self) -> Documents:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


@_documented_as(_sync.Cluster)
class Cluster(_handles.ClusterHandle):
    """A search cluster at an address, or the local one in a folder."""

    async def info(self) -> ClusterInfo:
        return _data.one(ClusterInfo, await self._native.info())

    async def health(self) -> ClusterHealth:
        return _data.one(ClusterHealth, await self._native.health())

    async def indices(self) -> list[IndexRow]:
        return _data.many(IndexRow, await self._native.indices())

    async def count(self, index: str) -> int:
        return await self._native.count(index)

    async def refresh(self, index: str) -> None:
        await self._native.refresh(index)


@_documented_as(_sync.Events)
class Events(AsyncIterator[Event]):
    """The events of a backfill from the moment on that it was asked for. It ends once the workers are gone.

    Cancelling the task that waits for the next one pauses the workers of this process, as in :meth:`Backfill.wait`; :meth:`ready` is
    for those who only look.
    """

    def __init__(self, native: _native.EventStream, backfill: _native.Backfill) -> None:
        self._native = native
        self._backfill = backfill
        self._batch: list[Event] = []

    def __aiter__(self) -> Events:
        return self

    async def __anext__(self) -> Event:
        if not self._batch:
            self._batch = (await self._next(BATCH))[::-1]
            if not self._batch:
                raise StopAsyncIteration
        return self._batch.pop()

    async def batches(self, size: int = BATCH) -> AsyncIterator[list[Event]]:
        while batch := await self._next(size):
            yield batch

    async def ready(self) -> list[Event]:
        begun, self._batch = self._batch[::-1], []
        return begun + _read(await self._native.ready())

    async def _next(self, size: int) -> list[Event]:
        async with _pausing(self._backfill):
            return _read(await self._native.next_batch(size))


@_documented_as(_sync.FailedDocuments)
class FailedDocuments(AsyncIterator[FailedDocument]):
    """Documents that the target refused. Iterate over it, or over its :meth:`batches`."""

    def __init__(self, native: _native.FailedDocumentStream) -> None:
        self._native = native
        self._batch: list[FailedDocument] = []

    def __aiter__(self) -> FailedDocuments:
        return self

    async def __anext__(self) -> FailedDocument:
        if not self._batch:
            self._batch = _data.many(FailedDocument, await self._native.next_batch(BATCH))[::-1]
            if not self._batch:
                raise StopAsyncIteration
        return self._batch.pop()

    async def batches(self, size: int = BATCH) -> AsyncIterator[list[FailedDocument]]:
        if self._batch:
            begun, self._batch = self._batch[::-1], []
            for first in range(0, len(begun), size):
                yield begun[first : first + size]
        while batch := _data.many(FailedDocument, await self._native.next_batch(size)):
            yield batch


@_documented_as(_sync.GradualScaling)
class GradualScaling(AsyncIterator[GradualStep]):
    """The steps of a fleet that is made larger as long as the target is well. Iterating over it makes them."""

    def __init__(self, native: _native.GradualScaling) -> None:
        self._native = native

    def __aiter__(self) -> GradualScaling:
        return self

    async def __anext__(self) -> GradualStep:
        step = _data.maybe(GradualStep, await self._native.next())
        if step is None:
            raise StopAsyncIteration
        return step


@_documented_as(_sync.Backfill)
class Backfill(_handles.BackfillHandle):
    """Fills a target with the documents of a snapshot. As an asynchronous context manager it pauses at the end of the block."""

    async def plan(self) -> Plan:
        return _data.one(Plan, await self._native.plan())

    async def start(self) -> None:
        await self._native.start()

    async def scale(self, workers: int) -> None:
        await self._native.scale(workers)

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

    async def pause(self) -> None:
        await self._native.pause()

    async def stop(self, folder: PathLike | None = None) -> Path | None:
        return optional_path(await self._native.stop(optional_text(folder)))

    async def archive(self, folder: PathLike | None = None) -> Path | None:
        return optional_path(await self._native.archive(optional_text(folder)))

    async def restore(self, file: PathLike) -> None:
        await self._native.restore(text_of(file))

    async def reset(self, folder: PathLike | None = None) -> Path | None:
        return optional_path(await self._native.reset(optional_text(folder)))

    @overload
    async def status(self, deep: Literal[False] = False) -> Status: ...

    @overload
    async def status(self, deep: Literal[True]) -> DeepStatus: ...

    @overload
    async def status(self, deep: bool) -> Status | DeepStatus: ...

    async def status(self, deep: bool = False) -> Status | DeepStatus:
        if deep:
            return _data.one(DeepStatus, await self._native.deep_status())
        return _data.one(Status, await self._native.status())

    async def limits(self) -> RateLimits:
        return _data.one(RateLimits, await self._native.limits())

    async def limit(self, *, documents_per_second: int | None, bytes_per_second: int | None) -> None:
        limits = {"documents_per_second": documents_per_second, "bytes_per_second": bytes_per_second}
        await self._native.limit(limits)

    async def failed_summary(self) -> FailedSummary:
        return _data.one(FailedSummary, await self._native.failed_summary())

    def failed_documents(
        self,
        *,
        indices: Iterable[str] | str | None = None,
        classes: Iterable[FailureClass] | FailureClass | None = None,
    ) -> FailedDocuments:
        return FailedDocuments(self._native.failed_documents(_handles.failed_filter(indices, classes)))

    async def redrive(
        self,
        *,
        indices: Iterable[str] | str | None = None,
        classes: Iterable[FailureClass] | FailureClass | None = None,
    ) -> Redriven:
        return _data.one(Redriven, await self._native.redrive(_handles.failed_filter(indices, classes)))

    async def report(self) -> Report:
        return _data.one(Report, await self._native.report())

    async def wait(self) -> str:
        """Waits for the end of the run: ``completed``, ``completed_with_errors`` or ``failed``.

        When its task is cancelled, it pauses the workers of this process before it raises: they write how far they are, and
        :meth:`start` goes on there. A fleet elsewhere goes on.

        :raises CancelledError: The backfill was paused or stopped.
        """
        async with _pausing(self._native):
            return await self._native.wait()

    def events(self) -> Events:
        return Events(self._native.events(), self._native)

    async def run(self, on_event: Callable[[Event], Awaitable[object] | object] | None = None) -> str:
        """Starts, waits for the end, and says how the run ended, as :meth:`wait` does.

        When its task is cancelled, or ``on_event`` raises, it pauses the workers of this process before it raises: they write
        how far they are, and another run goes on there. A fleet elsewhere goes on.

        :param on_event: Called with every event; what it returns is awaited, if it can be.
        """
        events = self.events() if on_event is not None else None
        try:
            await self.start()
            if events is not None and on_event is not None:
                async for event in events:
                    answer = on_event(event)
                    if inspect.isawaitable(answer):
                        await answer
            return await self.wait()
        except BaseException:
            await self._native.interrupt()
            raise

    async def __aenter__(self) -> Backfill:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.pause()
