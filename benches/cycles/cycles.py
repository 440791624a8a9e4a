"""Starts backfills and interrupts them, over and over, and says what this process has in use, and how long each interruption took."""

import asyncio
import gc
import json
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import snapfill
from snapfill import aio, events

repository, cycles = sys.argv[1], int(sys.argv[2])
every = max(cycles // 10, 1)


def slow(target):
    """Takes more than a minute unless it is interrupted."""
    return {
        "repository": repository,
        "snapshot": "snap-2",
        "target": target,
        "indices": "shapes",
        "max_docs_per_second": 5,
        "bulk_documents": 5,
        "bulks_in_flight": 1,
    }


def by_ctrl_c(target):
    """Seconds from Ctrl-C to the exception."""
    backfill = snapfill.Backfill(**slow(target))
    told = backfill.events()
    backfill.start()
    assert any(isinstance(event, events.Progress) for event in told)
    pressed, is_waiting = [], threading.Event()

    def press():
        is_waiting.wait()
        time.sleep(0.02)
        pressed.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    pressing = threading.Thread(target=press)
    pressing.start()
    try:
        is_waiting.set()
        backfill.wait()
    except KeyboardInterrupt:
        took = time.perf_counter() - pressed[0]
        pressing.join()
        assert backfill.status().fleet.running == 0
        return took
    raise AssertionError("it ended by itself")


async def by_cancelling(target):
    """Seconds from the cancelling of a task to its end."""
    backfill = aio.Backfill(**slow(target))
    told = backfill.events()
    await backfill.start()
    async for event in told:
        if isinstance(event, events.Progress):
            break
    task = asyncio.create_task(backfill.wait())
    await asyncio.sleep(0.01)
    began = time.perf_counter()
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        took = time.perf_counter() - began
        assert (await backfill.status()).fleet.running == 0
        return took
    raise AssertionError("it ended by itself")


def tell(done):
    """What is in use once all is quiet."""
    gc.collect()
    time.sleep(1.5)
    (pages,) = (int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS:"))
    threads, files = (len(os.listdir(f"/proc/self/{what}")) for what in ("task", "fd"))
    print(json.dumps({"cycles": done, "kib": pages, "threads": threads, "files": files}), flush=True)


took = {"Ctrl-C": [], "asyncio": []}
for cycle in range(1, cycles + 1):
    with tempfile.TemporaryDirectory() as folder:
        if cycle % 2:
            took["Ctrl-C"].append(by_ctrl_c(folder))
        else:
            took["asyncio"].append(asyncio.run(by_cancelling(folder)))
    with snapfill.Repository(repository).snapshot("snap-2").documents() as documents:
        next(documents)
    if cycle % every == 0:
        tell(cycle)
print(json.dumps({"interrupted": took}))
