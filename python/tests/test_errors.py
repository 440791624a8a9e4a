"""Exceptions, and what wrong arguments are told."""

from __future__ import annotations

import pickle
from datetime import timedelta
from pathlib import Path

import pytest
import snapfill
from snapfill import errors

CODES = (
    "CONFIG AUTH NOT_FOUND UNAVAILABLE RATE_LIMITED CONFLICT LEASE_LOST CORRUPT UNSUPPORTED INCOMPLETE STATE CANCELLED IO "
    "UNEXPECTED"
).split()


def test_every_kind_has_a_class_of_its_own() -> None:
    made = [errors._of_kind(code, "what", True, timedelta(seconds=3), {"file": "a"}) for code in CODES]
    assert [error.code for error in made] == CODES
    assert len({type(error) for error in made}) == len(CODES)
    assert all(type(error).__name__ in snapfill.__all__ for error in made)
    assert all(error.retryable and error.retry_after == timedelta(seconds=3) for error in made)


def test_an_error_says_where_it_happened_and_can_be_sent_to_another_process(tmp_path: Path) -> None:
    with pytest.raises(snapfill.NotFoundError) as raised:
        snapfill.Repository(tmp_path).snapshots()
    error = raised.value
    assert error.code == "NOT_FOUND" and not error.retryable and error.retry_after is None
    assert error.context["repository"] == str(tmp_path)
    assert str(tmp_path) in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is snapfill.NotFoundError
    assert (str(again), again.context) == (str(error), error.context)


def test_wrong_arguments_are_pythons_own_errors_and_name_the_argument(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="reposiotry"):
        snapfill.Backfill(target=tmp_path, reposiotry="a")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="workers"):
        snapfill.Backfill(target=tmp_path, workers="many")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="workers"):
        snapfill.Backfill(target=tmp_path, workers=-1)
    with pytest.raises(ValueError, match="refuse, split, merge"):
        snapfill.Backfill(target=tmp_path, types="mix")  # type: ignore[arg-type]
    with pytest.raises(snapfill.ConfigError, match="both repository and snapshot"):
        snapfill.Backfill(target=tmp_path, repository="a")


def test_secrets_are_not_shown() -> None:
    cluster = snapfill.Cluster("https://search.example.com", user="filler", password="hunter2")
    assert "hunter2" not in repr(cluster)
    with pytest.raises(snapfill.ConfigError) as raised:
        snapfill.Cluster("https://filler:hunter2@search.example.com")
    assert "hunter2" not in str(raised.value)
