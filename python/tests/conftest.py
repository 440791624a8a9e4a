"""What the tests share: real snapshots, and where they are."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import BUILT, Fakes

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"


@pytest.fixture
def cluster() -> Iterator[str]:
    """The address of a cluster that refuses documents when it is told to."""
    with Fakes() as fakes:
        yield fakes.places["cluster"]


@pytest.fixture(scope="session")
def platform() -> Iterator[dict[str, Any]]:
    """A real server, and an Amazon ECS with one service whose tasks fill it."""
    with Fakes("--workers", str(BUILT / "snapfill")) as fakes:
        yield fakes.places


@pytest.fixture
def repository() -> Path:
    """A repository that OpenSearch 3.8 wrote; it has ``snap-1`` and ``snap-2``."""
    return FIXTURES / "opensearch-3.8.0" / "repo"


@pytest.fixture
def slow(repository: Path, tmp_path: Path) -> dict[str, Any]:
    """A backfill that takes more than a minute unless it is interrupted."""
    return {
        "repository": repository,
        "snapshot": "snap-2",
        "target": tmp_path,
        "indices": "shapes",
        "max_docs_per_second": 5,
        "bulk_documents": 5,
        "bulks_in_flight": 1,
    }


def in_use() -> dict[str, int]:
    """Threads and open files of this process."""
    return {what: len(os.listdir(f"/proc/self/{what}")) for what in ("task", "fd")}


def no_more_than(before: dict[str, int]) -> bool:
    """Whether no more threads and open files are there than before."""
    return all(count <= before[what] for what, count in in_use().items())


def settles(is_so: Callable[[], bool]) -> bool:
    """Whether it becomes so: threads without work stay for a while."""
    deadline = time.monotonic() + 30
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
