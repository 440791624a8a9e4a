"""The examples, run as their users run them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import snapfill
from conftest import FIXTURES

EXAMPLES = Path(__file__).parents[2] / "examples" / "python"


def example(name: str, *arguments: str | Path, cwd: Path | None = None, **variables: str) -> str:
    words = [sys.executable, str(EXAMPLES / name), *map(str, arguments)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False, cwd=cwd, env={**os.environ, **variables})
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_folder_is_filled(repository: Path, tmp_path: Path) -> None:
    said = example("fill_a_folder.py", repository, "snap-2", tmp_path / "filled", "shapes").splitlines()
    assert said[0] == "will fill: shapes"
    assert sorted(said[1:-1]) == ["shapes[0] is done", "shapes[1] is done"]
    assert said[-1] == "completed: 348 documents written, 0 failed"


def test_an_index_is_exported(repository: Path, tmp_path: Path) -> None:
    file = tmp_path / "routed.ndjson"
    assert example("export_to_ndjson.py", repository, "snap-2", "routed", file) == "54 documents\n"
    lines = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert len(lines) == 108
    assert all(line["index"]["_index"] == "routed" for line in lines[::2])
    assert any("routing" in line["index"] for line in lines[::2])


def test_a_shard_becomes_a_frame(repository: Path) -> None:
    said = example("shard_to_polars.py", repository, "snap-2", "sorted", "0")
    assert "shape: (39, " in said and "_id" in said


def test_an_aws_fleet_is_driven_and_stopped_when_done(platform: dict[str, Any], tmp_path: Path) -> None:
    server, ecs = platform["server"], platform["ecs"]
    said = example(
        "drive_an_aws_fleet.py",
        *("--repository", FIXTURES / "opensearch-2.19.6" / "repo", "--snapshot", "snap-2", "--target", server),
        *("--cluster", ecs["cluster"], "--service", ecs["service"], "--failed-store", tmp_path / "failed"),
        *("--index", "shapes", "--index", "routed", "--workers", "3", "--settle", "1", "--max-cpu", "100", "--lease", "6"),
        cwd=tmp_path,
        AWS_ENDPOINT_URL_ECS=ecs["url"],
        AWS_REGION="eu-west-1",
        AWS_ACCESS_KEY_ID="AKIDFLEET",
        AWS_SECRET_ACCESS_KEY="hunter2",
        XDG_STATE_HOME=str(tmp_path / "state"),
    ).splitlines()
    assert said[0].startswith("Up to 1 worker: ")
    assert said[-2].startswith("Done with ")
    assert said[-1].startswith("completed: 402 documents written, 0 failed; archived in ")
    assert snapfill.Cluster(server).count("shapes") >= 348
    assert (tmp_path / "report.md").read_text().startswith("# ")
    assert list((tmp_path / "archives").glob("*.json"))
