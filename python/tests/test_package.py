"""The package as a whole: its command line, its texts, its logs."""

from __future__ import annotations

import inspect
import logging
import subprocess
import sys
from pathlib import Path

import pytest
import snapfill
from snapfill import aio, console, errors, events, model


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "snapfill", *arguments], capture_output=True, text=True, check=False)


def test_the_command_line_is_in_the_package(repository: Path) -> None:
    listed = run("--json", "snapshot", "list", str(repository))
    assert listed.returncode == 0, listed.stderr
    assert "snap-2" in listed.stdout
    assert run("--version").stdout.strip() == f"snapfill {snapfill.__version__}"
    assert run("snapshot").returncode == 2
    failed = run("snapshot", "list", "/no/such/folder")
    assert failed.returncode != 0 and "/no/such/folder" in failed.stderr


def test_workers_in_the_background_are_begun_by_python(repository: Path, tmp_path: Path) -> None:
    source = ("--repo", str(repository), "--snapshot", "snap-2", "--index", "shapes")
    started = run("backfill", "start", *source, "--target", str(tmp_path))
    assert started.returncode == 0, started.stderr
    watched = run("backfill", "watch", "--target", str(tmp_path))
    assert watched.returncode == 0, watched.stderr
    assert snapfill.Backfill(target=tmp_path).status(deep=True).end == "completed"


@pytest.mark.parametrize("module", [snapfill, aio, console, errors, events, model])
def test_everything_public_has_a_text(module: object) -> None:
    untold = []
    for name in module.__all__:  # type: ignore[attr-defined]
        member = getattr(module, name)
        if inspect.isclass(member):
            untold += [] if inspect.getdoc(member) else [name]
            for inner, value in vars(member).items():
                value = value.fget if isinstance(value, property) else value
                if not inner.startswith("_") and callable(value) and not inspect.getdoc(value):
                    untold.append(f"{name}.{inner}")
    assert untold == []


def test_both_halves_have_the_same_names() -> None:
    for name in ("Repository", "Snapshot", "Documents", "Cluster", "Backfill", "Events"):
        blocking = {inner for inner in dir(getattr(snapfill, name)) if not inner.startswith("_")}
        awaited = {inner for inner in dir(getattr(aio, name)) if not inner.startswith("_")}
        assert blocking == awaited, name


def test_logs_go_to_logging(repository: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="snapfill"):
        snapfill.Backfill(repository=repository, snapshot="snap-2", target=tmp_path, indices="shapes").run()
    assert any(record.name.startswith("snapfill") for record in caplog.records)
