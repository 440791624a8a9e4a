"""Ctrl-C and cancelled tasks: what runs ends soon and in order, leaves nothing behind, and goes on where it stood."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import snapfill
from conftest import in_use, no_more_than, settles
from snapfill import aio, events

SHAPES = 348
"""Documents of the index."""

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in /proc")


@contextmanager
def ctrl_c() -> Iterator[None]:
    """Presses Ctrl-C shortly after the block was begun, which must end by it long before it would by itself."""
    pressing = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    began = time.monotonic()
    pressing.start()
    with pytest.raises(KeyboardInterrupt):
        yield
    pressing.join()
    assert time.monotonic() - began < 20


def begun(slow: dict[str, Any]) -> snapfill.Backfill:
    """A backfill that has written something."""
    backfill = snapfill.Backfill(**slow)
    told = backfill.events()
    backfill.start()
    assert any(isinstance(event, events.Progress) for event in told)
    return backfill


def goes_on_where_it_stood(slow: dict[str, Any]) -> None:
    """Nobody works any more, and another run writes what is left."""
    before = snapfill.Backfill(**slow).status(deep=True)
    assert (before.state, before.fleet.running, before.end) == ("STOPPED", 0, None)
    assert 0 < before.work.books.written < SHAPES
    assert snapfill.Cluster(slow["target"]).count("shapes") == before.work.books.written
    fast = {**slow, "max_docs_per_second": 1_000_000}
    backfill = snapfill.Backfill(**fast)
    assert backfill.run() == "completed"
    assert backfill.status(deep=True).work.books.written == SHAPES
    assert snapfill.Cluster(slow["target"]).count("shapes") == SHAPES


def waits(backfill: snapfill.Backfill) -> None:
    backfill.wait()


def iterates(backfill: snapfill.Backfill) -> None:
    for _ in backfill.events():
        pass


def is_in_a_block(backfill: snapfill.Backfill) -> None:
    with backfill:
        time.sleep(60)


@pytest.mark.parametrize("interrupted", [waits, iterates, is_in_a_block])
def test_ctrl_c_pauses_what_runs_and_leaves_nothing_behind(
    slow: dict[str, Any], interrupted: Callable[[snapfill.Backfill], None]
) -> None:
    snapfill.Repository(slow["repository"]).snapshots()
    before = in_use()
    backfill = begun(slow)
    with ctrl_c():
        interrupted(backfill)
    assert backfill.status().fleet.running == 0
    del backfill
    assert settles(lambda: no_more_than(before)), (in_use(), before)
    goes_on_where_it_stood(slow)


def test_ctrl_c_ends_the_iteration_over_documents(repository: Path) -> None:
    snapshot = snapfill.Repository(repository).snapshot("snap-2")
    snapshot.info()
    before = in_use()
    with ctrl_c():
        while True:
            assert all(document.id for document in snapshot.documents(None))
    assert settles(lambda: no_more_than(before)), (in_use(), before)
    assert len(list(snapshot.documents("shapes"))) == SHAPES


def test_ctrl_c_ends_a_program(slow: dict[str, Any]) -> None:
    options = {**slow, "repository": str(slow["repository"]), "target": str(slow["target"])}
    program = f"import snapfill\nbackfill = snapfill.Backfill(**{options!r})\nbackfill.start()\nprint(flush=True)\nbackfill.wait()"
    running = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert running.stdout is not None
    running.stdout.readline()
    settles(lambda: snapfill.Backfill(target=slow["target"]).status(deep=True).work.books.written > 0)
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=20)
    assert running.returncode == -signal.SIGINT and b"KeyboardInterrupt" in told
    goes_on_where_it_stood(slow)


async def awaits(backfill: aio.Backfill) -> None:
    await backfill.wait()


async def iterates_awaiting(backfill: aio.Backfill) -> None:
    async for _ in backfill.events():
        pass


@pytest.mark.parametrize("interrupted", [awaits, iterates_awaiting])
async def test_a_cancelled_task_pauses_what_runs_and_leaves_nothing_behind(
    slow: dict[str, Any], interrupted: Callable[[aio.Backfill], Any]
) -> None:
    await aio.Repository(slow["repository"]).snapshots()
    before, tasks = in_use(), len(asyncio.all_tasks())
    backfill = aio.Backfill(**slow)
    told = backfill.events()
    await backfill.start()
    async for event in told:
        if isinstance(event, events.Progress):
            break
    task = asyncio.create_task(interrupted(backfill))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 20)
    assert (await backfill.status()).fleet.running == 0
    assert len(asyncio.all_tasks()) == tasks
    del backfill, told
    assert settles(lambda: no_more_than(before)), (in_use(), before)
    goes_on_where_it_stood(slow)


async def test_a_shielded_wait_leaves_the_workers_working(slow: dict[str, Any]) -> None:
    async with aio.Backfill(**slow) as backfill:
        await backfill.start()
        waiting = asyncio.ensure_future(backfill.wait())
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiting), 0.2)
        assert (await backfill.status()).fleet.running == 1
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (await backfill.status()).fleet.running == 0


def resident() -> int:
    """Bytes of memory that this process has in use."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_beginning_and_interrupting_leaves_nothing_behind(slow: dict[str, Any], tmp_path: Path) -> None:
    def cycles(numbers: range) -> None:
        for number in numbers:
            interrupted = snapfill.Backfill(**{**slow, "target": tmp_path / str(number)})
            with pytest.raises(ZeroDivisionError):
                interrupted.run(lambda event: 1 / 0 if isinstance(event, events.Progress) else None)

    cycles(range(10))
    time.sleep(1.5)
    before, memory = in_use(), resident()
    cycles(range(10, 60))
    assert settles(lambda: no_more_than(before)), (in_use(), before)
    assert resident() < memory + 64 * 2**20
