"""The configuration file of OpenSearch's Migration Assistant, ``services.yaml``, as it is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import snapfill
from conftest import FIXTURES
from snapfill.console import Backfill, StepState


def write(folder: Path, target: str, fleet: str) -> Path:
    file = folder / "services.yaml"
    file.write_text(
        f"""
source_cluster:
  endpoint: "http://capture-proxy:9200"
  no_auth:
target_cluster:
  endpoint: "{target}"
  basic_auth:
    username: "admin"
    password: "hunter2"
backfill:
  reindex_from_snapshot:
    {fleet}
    backfill_session_name: "{folder.name}"
    scale: 2
snapshot:
  snapshot_name: "snap-1"
  snapshot_repo_name: "migration_assistant_repo"
  fs:
    repo_path: "{FIXTURES / "elasticsearch-7.10.2" / "repo"}"
metadata_migration:
  from_snapshot:
"""
    )
    return file


def test_a_file_of_the_migration_assistant_is_a_backfill(platform: dict[str, Any], tmp_path: Path) -> None:
    backfill = snapfill.Backfill.from_config(write(tmp_path, platform["server"], ""))
    plan = backfill.plan()
    assert plan.snapshot == "snap-1" and plan.migrated
    script = Backfill(backfill)
    assert script.start().success
    assert backfill.wait() == "completed"
    assert script.build_backfill_status().status is StepState.COMPLETED
    report = backfill.report()
    assert (report.session, report.target.rstrip("/")) == (tmp_path.name, platform["server"])
    assert report.balanced and report.live > 0
    assert "hunter2" not in repr(backfill) + str(report) + str(report.settings)


def test_containers_of_this_machine_are_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(snapfill.ConfigError, match="docker") as refused:
        snapfill.Backfill.from_config(write(tmp_path, "http://127.0.0.1:9", "docker:"))
    assert "hunter2" not in str(refused.value)
