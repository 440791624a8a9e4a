"""Servers beside the tests: ``snapfill-fakes``, as ``cargo xtask python`` builds it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

BUILT = Path(os.environ.get("SNAPFILL_BUILT", Path(__file__).resolve().parents[2] / "target" / "debug"))
"""Where programs are that were built."""


class Fakes:
    """What the program starts, until the end of the block."""

    places: dict[str, Any]
    """Where things are."""

    def __init__(self, *words: str) -> None:
        self._words = words

    def __enter__(self) -> Fakes:
        program = BUILT / "snapfill-fakes"
        self._process = subprocess.Popen([program, *self._words], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self.places = json.loads(self._process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
