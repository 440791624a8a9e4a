"""The examples, run as their users run them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples" / "python"


def example(name: str, *arguments: str | Path) -> str:
    words = [sys.executable, str(EXAMPLES / name), *map(str, arguments)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
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
