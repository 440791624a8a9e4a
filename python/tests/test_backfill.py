"""The verbs of a backfill."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from pathlib import Path

import pytest
import snapfill
from snapfill import aio, events


def test_a_backfill_runs_and_tells_what_happens(repository: Path, tmp_path: Path) -> None:
    told: list[events.Event] = []
    backfill = snapfill.Backfill(
        repository=snapfill.Repository(repository), snapshot="snap-2", target=tmp_path, indices="shapes", workers=2
    )
    assert [index.name for index in backfill.plan().migrated] == ["shapes"]
    assert backfill.status().state == "NOT_STARTED"
    assert backfill.run(told.append) == "completed"
    kinds = {type(event) for event in told}
    assert {events.Planned, events.Progress, events.ItemCompleted, events.WorkerEnded} <= kinds
    deep = backfill.status(deep=True)
    assert deep.end == "completed" and deep.state == "STOPPED"
    assert deep.work.started is not None and deep.work.eta is None
    (shapes,) = deep.work.indices
    assert shapes.live == shapes.books.written > 0
    target = snapfill.Cluster(tmp_path)
    assert target.count("shapes") == shapes.live
    assert [row.index for row in target.indices()] == ["shapes"]
    assert target.info().distribution == "local directory"


def test_a_run_is_known_to_who_comes_later(repository: Path, tmp_path: Path) -> None:
    snapfill.Backfill(repository=repository, snapshot="snap-2", target=tmp_path, indices=["shapes"]).run()
    assert snapfill.Backfill(target=tmp_path).status(deep=True).end == "completed"


def test_a_stopped_backfill_is_refused_and_restored(repository: Path, tmp_path: Path) -> None:
    backfill = snapfill.Backfill(repository=repository, snapshot="snap-2", target=tmp_path / "filled", indices="shapes")
    backfill.run()
    archive = backfill.stop(tmp_path / "archives")
    assert archive is not None and archive.parent == tmp_path / "archives" and archive.exists()
    assert backfill.status().state == "NOT_STARTED"
    with pytest.raises(snapfill.InvalidStateError, match="restore"):
        backfill.start()
    backfill.restore(archive)
    assert backfill.status(deep=True).end == "completed"
    assert backfill.reset(tmp_path) is not None


def test_a_with_block_leaves_nothing_running(repository: Path, tmp_path: Path) -> None:
    with snapfill.Backfill(repository=repository, snapshot="snap-2", target=tmp_path, max_docs_per_second=20) as backfill:
        backfill.start()
        assert backfill.status().fleet.running == 1
    assert backfill.status().fleet.running == 0
    with pytest.raises(snapfill.CancelledError):
        backfill.wait()


def test_ctrl_c_pauses_a_run_and_another_goes_on(repository: Path, tmp_path: Path) -> None:
    slow = snapfill.Backfill(
        repository=repository,
        snapshot="snap-2",
        target=tmp_path,
        indices="shapes",
        max_docs_per_second=50,
        bulk_documents=5,
        bulks_in_flight=1,
    )
    begun = threading.Event()

    def interrupt() -> None:
        begun.wait()
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()

    def note(event: events.Event) -> None:
        if isinstance(event, events.Progress):
            begun.set()

    with pytest.raises(KeyboardInterrupt):
        slow.run(note)
    thread.join()
    status = slow.status(deep=True)
    assert status.state == "STOPPED" and status.end is None
    assert 0 < status.work.books.written
    assert slow.status().fleet.running == 0


async def test_a_cancelled_task_pauses_its_run(repository: Path, tmp_path: Path) -> None:
    slow = aio.Backfill(
        repository=repository,
        snapshot="snap-2",
        target=tmp_path,
        indices="shapes",
        max_docs_per_second=50,
        bulk_documents=5,
        bulks_in_flight=1,
    )
    begun = asyncio.Event()

    async def note(event: events.Event) -> None:
        if isinstance(event, events.Progress):
            begun.set()

    task = asyncio.create_task(slow.run(note))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    status = await slow.status(deep=True)
    assert status.state == "STOPPED" and status.end is None and status.work.books.written > 0


async def test_events_are_iterated_while_it_runs(repository: Path, tmp_path: Path) -> None:
    async with aio.Backfill(repository=repository, snapshot="snap-2", target=tmp_path, indices=["shapes"]) as backfill:
        stream = backfill.events()
        await backfill.start()
        kinds = [type(event) async for event in stream]
        assert events.ItemCompleted in kinds and kinds[-1] is events.WorkerEnded
        assert await backfill.wait() == "completed"
        await backfill.scale(0)


def test_other_threads_run_while_a_call_blocks(repository: Path, tmp_path: Path) -> None:
    slow = snapfill.Backfill(
        repository=repository,
        snapshot="snap-2",
        target=tmp_path,
        indices="shapes",
        max_docs_per_second=50,
        bulk_documents=5,
        bulks_in_flight=1,
    )
    slow.start()
    ended: list[str] = []

    def wait() -> None:
        try:
            slow.wait()
        except snapfill.CancelledError as error:
            ended.append(error.code)

    waiting = threading.Thread(target=wait)
    waiting.start()
    slow.pause()
    waiting.join()
    assert ended == ["CANCELLED"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_is_told_and_does_not_hang(repository: Path) -> None:
    snapshot = snapfill.Repository(repository).snapshot("snap-2")
    snapshot.info()
    child = os.fork()
    if child == 0:
        try:
            snapshot.documents().batches().__next__()
        except snapfill.InvalidStateError as error:
            os._exit(0 if "spawn" in str(error) else 1)
        except BaseException:
            os._exit(2)
        os._exit(3)
    deadline = time.monotonic() + 30
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0:
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            pytest.fail("the child hangs")
        time.sleep(0.01)
    assert os.waitstatus_to_exitcode(ended[1]) == 0
