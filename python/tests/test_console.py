"""The classes of the console library of OpenSearch's Migration Assistant."""

from __future__ import annotations

from pathlib import Path

import pytest
import snapfill
from snapfill.console import Backfill, BackfillStatus, DeepStatusNotYetAvailable, StepState


def write(folder: Path, repository: Path) -> Path:
    file = folder / "snapfill.toml"
    file.write_text(
        f"""
[source]
repository = "{repository}"
snapshot = "snap-2"

[target]
endpoint = "./filled"

[backfill]
indices = ["shapes"]
"""
    )
    return file


def test_a_script_of_the_console_runs_as_it_is(repository: Path, tmp_path: Path) -> None:
    made = snapfill.Backfill.from_config(write(tmp_path, repository))
    backfill = Backfill(made)
    assert backfill.create().success
    status = backfill.get_status()
    assert status.success and isinstance(status.value, tuple)
    assert status.value == (BackfillStatus.NOT_STARTED, "Running=0\nPending=0\nDesired=0")
    with pytest.raises(DeepStatusNotYetAvailable):
        backfill.build_backfill_status()

    started = backfill.start()
    assert started.success and isinstance(started.value, str)
    assert started.value.splitlines()[0] == "Backfill started successfully."
    made.wait()

    deep = backfill.get_status(deep_check=True)
    assert isinstance(deep.value, tuple)
    assert str(deep.value[0]) == "BackfillStatus.STOPPED"
    lines = deep.value[1].splitlines()
    assert lines[:3] == ["Running=0", "Pending=0", "Desired=0"]
    shards = made.status(deep=True).work.shards.total
    assert lines[3:] == [
        f"Shards total: {shards}",
        f"Shards completed: {shards}",
        "Shards incomplete: 0",
        "Shards in progress: 0",
        "Shards unclaimed: 0",
    ]
    overall = backfill.build_backfill_status()
    assert overall.status is StepState.COMPLETED and overall.percentage_completed == 100.0
    assert overall.started is not None and overall.started.endswith("+00:00")
    assert (overall.shard_total, overall.shard_complete, overall.shard_waiting) == (shards, shards, 0)

    paused = backfill.pause()
    assert isinstance(paused.value, str) and paused.value.startswith("Backfill paused successfully.")
    archived = backfill.archive(archive_dir_path=str(tmp_path / "archives"), archive_file_name="mine.json")
    assert archived.success and archived.value == str(tmp_path / "archives" / "mine.json")
    again = backfill.archive()
    assert again.value == "Working state index doesn't exist, skipping archive operation."
    made.restore(tmp_path / "archives" / "mine.json")


def test_what_goes_wrong_is_a_result(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    made = snapfill.Backfill(repository=repository, snapshot="snap-2", target=tmp_path / "file")
    failed = Backfill(made).start()
    assert not failed.success and isinstance(failed.value, snapfill.StorageError)
    assert not Backfill(made).get_status().success


def test_scale_says_what_the_platform_says(repository: Path, tmp_path: Path) -> None:
    with snapfill.Backfill(repository=repository, snapshot="snap-2", target=tmp_path, max_docs_per_second=20) as made:
        backfill = Backfill(made)
        scaled = backfill.scale(2)
        assert scaled.success and isinstance(scaled.value, str) and "2" in scaled.value
        overall = backfill.build_backfill_status()
        assert overall.status is StepState.RUNNING
    assert backfill.build_backfill_status().status is StepState.PAUSED
