"""For scripts written against the console library of OpenSearch's Migration Assistant: its classes, its results.

Replace ``from console_link.models.backfill_rfs import …`` by this module, and make the backfill of the same configuration file or
of a :class:`snapfill.Backfill`::

    from snapfill.console import Backfill

    backfill = Backfill("/config/migration_services.yaml")
    result = backfill.start()
    print(result.success, result.value)
    print(backfill.get_status(deep_check=True).value[1])

No method raises for what goes wrong: the result says so, as there.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import Any, Generic, TypeVar, Union

from . import _sync
from .errors import SnapfillError
from .events import FleetChanged
from .model import DeepStatus, FleetCounts, Status

__all__ = [
    "Backfill",
    "BackfillOverallStatus",
    "BackfillStatus",
    "CommandResult",
    "DeepStatusNotYetAvailable",
    "StepState",
]

T = TypeVar("T")


class BackfillStatus(Enum):
    """Whether workers are at it."""

    NOT_STARTED = "NOT_STARTED"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    TERMINATING = "TERMINATING"
    STOPPED = "STOPPED"
    FAILED = "FAILED"


class StepState(Enum):
    """How far the work is."""

    PENDING = "Pending"
    RUNNING = "Running"
    PAUSED = "Paused"
    COMPLETED = "Completed"
    COMPLETED_WITH_ERRORS = "CompletedWithErrors"
    FAILED = "Failed"


class DeepStatusNotYetAvailable(Exception):
    """There is no working state yet: nothing was planned."""


@dataclass
class CommandResult(Generic[T]):
    """How a command ended, and what it gave."""

    success: bool
    """Whether it did what it was told."""
    value: T | Exception | None
    """What it gave, or what went wrong."""
    output: Any = None
    """What it printed, where it did."""


@dataclass
class BackfillOverallStatus:
    """The deep status as one record, its times as text of ISO 8601."""

    status: StepState
    """How far the work is."""
    percentage_completed: float
    """By shards, from 0 to 100."""
    eta_ms: float | None
    """Milliseconds until all is done, where that can be told."""
    started: str | None
    """When it began."""
    finished: str | None
    """When it ended."""
    shard_total: int | None
    """Shards."""
    shard_complete: int | None
    """Shards that are done."""
    shard_in_progress: int | None
    """Shards that a worker is at."""
    shard_waiting: int | None
    """Shards that wait for a worker."""


class Backfill:
    """A backfill with the methods and results of the console library."""

    def __init__(self, config: Union[str, "os.PathLike[str]", _sync.Backfill]) -> None:
        """Reads the configuration.

        :param config: A configuration file of snapfill, a ``services.yaml``, or a backfill that is made already.
        """
        self._backfill = config if isinstance(config, _sync.Backfill) else _sync.Backfill.from_config(config)

    def create(self, *_: Any, **__: Any) -> CommandResult[str]:
        """Nothing is to be made: the fleet is there."""
        return CommandResult(True, "no-op")

    def start(self, *_: Any, **__: Any) -> CommandResult[str]:
        """Plans, and brings up the workers that are configured."""
        return self._change(self._backfill.start, "Backfill started successfully.")

    def pause(self, *_: Any, **__: Any) -> CommandResult[str]:
        """Sends all workers away; ``start`` or ``scale`` goes on."""
        return self._change(self._backfill.pause, "Backfill paused successfully.")

    def stop(self, *_: Any, **__: Any) -> CommandResult[str]:
        """Sends all workers away, archives the working state and deletes it."""
        return self._change(self._backfill.stop, "Backfill stopped successfully.")

    def scale(self, units: int, *_: Any, **__: Any) -> CommandResult[str]:
        """Sets the number of workers."""
        return self._change(lambda: self._backfill.scale(units), None)

    def archive(
        self, *_: Any, archive_dir_path: str | None = None, archive_file_name: str | None = None, **__: Any
    ) -> CommandResult[str]:
        """Archives the working state of a backfill whose workers are gone, and deletes it.

        :param archive_dir_path: The folder of the file.
        :param archive_file_name: Another name for it than the usual one.
        :returns: Its path.
        """
        try:
            file = self._backfill.archive(archive_dir_path)
            if file is None:
                return CommandResult(True, "Working state index doesn't exist, skipping archive operation.")
            if archive_file_name is not None:
                file = _renamed(file, archive_file_name)
            return CommandResult(True, str(file))
        except (SnapfillError, OSError) as error:
            return CommandResult(False, error)

    def get_status(
        self, deep_check: bool = False, *_: Any, **__: Any
    ) -> CommandResult[tuple[BackfillStatus, str]]:
        """The status and the lines that the console prints of it."""
        try:
            status: Status | DeepStatus = self._backfill.status(deep=deep_check)
        except SnapfillError as error:
            return CommandResult(False, error)
        text = _fleet(status.fleet)
        if isinstance(status, DeepStatus) and status.planned:
            text += "\n" + _shards(status)
        return CommandResult(True, (BackfillStatus(status.state), text))

    def build_backfill_status(self) -> BackfillOverallStatus:
        """The deep status as one record.

        :raises DeepStatusNotYetAvailable: Nothing was planned yet.
        """
        deep = self._backfill.status(deep=True)
        if not deep.planned:
            raise DeepStatusNotYetAvailable("there is no working state yet: start the backfill first")
        shards = deep.work.shards
        done = shards.completed / shards.total if shards.total else 1.0
        return BackfillOverallStatus(
            status=_state(deep),
            percentage_completed=100.0 * done,
            eta_ms=None if deep.work.eta_seconds is None else 1000.0 * deep.work.eta_seconds,
            started=_iso(deep.work.started),
            finished=_iso(deep.work.finished) if deep.end is not None else None,
            shard_total=shards.total,
            shard_complete=shards.completed,
            shard_in_progress=shards.in_progress,
            shard_waiting=shards.unclaimed,
        )

    def describe(self) -> dict[str, Any]:
        """What the backfill is, as data."""
        return {"reindex_from_snapshot": {"backfill": repr(self._backfill)}}

    def _change(self, verb: Callable[[], object], told: str | None) -> CommandResult[str]:
        """Makes a change, and gives the platform's own line of it behind ours."""
        events = self._backfill.events()
        try:
            verb()
        except SnapfillError as error:
            return CommandResult(False, error)
        changed = [event.line for event in events.ready() if isinstance(event, FleetChanged)]
        return CommandResult(True, "\n".join(([told] if told else []) + changed[-1:]))


def _renamed(file: Path, name: str) -> Path:
    """An archive under another name, and what lies beside it, too."""
    beside = file.with_name(file.name + ".meta.json")
    if beside.exists():
        beside.rename(file.with_name(name + ".meta.json"))
    return file.rename(file.with_name(name))


def _fleet(fleet: FleetCounts) -> str:
    return f"Running={fleet.running}\nPending={fleet.pending}\nDesired={fleet.desired}"


def _shards(deep: DeepStatus) -> str:
    shards = deep.work.shards
    return "\n".join(
        (
            f"Shards total: {shards.total}",
            f"Shards completed: {shards.completed}",
            f"Shards incomplete: {shards.incomplete}",
            f"Shards in progress: {shards.in_progress}",
            f"Shards unclaimed: {shards.unclaimed}",
        )
    )


def _state(deep: DeepStatus) -> StepState:
    if deep.end is not None:
        return {
            "completed": StepState.COMPLETED,
            "completed_with_errors": StepState.COMPLETED_WITH_ERRORS,
        }.get(deep.end, StepState.FAILED)
    if deep.state in ("RUNNING", "STARTING"):
        return StepState.RUNNING
    return StepState.PENDING if deep.work.started is None else StepState.PAUSED


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(timezone.utc).isoformat()
