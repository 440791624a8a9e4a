"""What the tests share: real snapshots, and where they are."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"


@pytest.fixture
def repository() -> Path:
    """A repository that OpenSearch 3.8 wrote; it has ``snap-1`` and ``snap-2``."""
    return FIXTURES / "opensearch-3.8.0" / "repo"
