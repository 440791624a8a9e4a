"""Reading documents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import snapfill
from snapfill import aio


def test_documents_come_with_all_that_they_have(repository: Path) -> None:
    snapshot = snapfill.Repository(repository).snapshot("snap-2")
    documents = list(snapshot.documents(index="routed"))
    assert documents
    for document in documents:
        assert document.index == "routed"
        assert isinstance(document.source, bytes)
        assert document.json() == json.loads(document.source)
        assert document.id
        assert document.type is None
        assert document.id in repr(document)
    assert any(document.routing for document in documents)


def test_a_document_is_made_of_its_parts() -> None:
    document = snapfill.Document("books", "1", b'{"a": 1}', routing="r")
    assert (document.index, document.id, document.routing) == ("books", "1", "r")
    assert document.json() == {"a": 1}
    with pytest.raises(TypeError):
        snapfill.Document("books", "1", "not bytes")  # type: ignore[arg-type]


def test_batches_are_as_large_as_asked_for_and_go_on_where_iteration_stood(repository: Path) -> None:
    snapshot = snapfill.Repository(repository).snapshot("snap-2")
    expected = [document.id for document in snapshot.documents("shapes")]
    documents = snapshot.documents("shapes")
    found = [next(documents).id]
    for batch in documents.batches(7):
        assert 1 <= len(batch) <= 7
        found.extend(document.id for document in batch)
    assert found == expected
    assert documents.skipped == {}


def test_nothing_is_read_before_it_is_asked_for() -> None:
    documents = snapfill.Repository("/no/such/folder").snapshot("nightly").documents()
    with pytest.raises(snapfill.NotFoundError, match="/no/such/folder"):
        next(documents)


def test_a_closed_stream_gives_no_more(repository: Path) -> None:
    with snapfill.Repository(repository).snapshot("snap-2").documents() as documents:
        next(iter(documents.batches(1)))
    assert next(documents.batches(), None) is None


def test_a_snapshot_says_what_it_is(repository: Path) -> None:
    opened = snapfill.Repository(repository)
    assert [one.name for one in opened.snapshots()] == ["snap-1", "snap-2"]
    info = opened.snapshot("snap-2").info()
    assert info.state == "SUCCESS" and "shapes" in info.indices
    assert info.started is not None and info.ended is not None and info.started <= info.ended
    (shapes,) = (index for index in opened.snapshot("snap-2").indices() if index.name == "shapes")
    assert shapes.settings["index.number_of_shards"] == str(shapes.shards)
    assert "properties" in shapes.mappings


async def test_asynchronous_iteration_gives_the_same(repository: Path) -> None:
    expected = [document.id for document in snapfill.Repository(repository).snapshot("snap-2").documents("shapes")]
    documents = aio.Repository(repository).snapshot("snap-2").documents("shapes")
    found = [(await documents.__anext__()).id]
    async for batch in documents.batches(7):
        found.extend(document.id for document in batch)
    assert found == expected
    one_by_one = aio.Repository(repository).snapshot("snap-2").documents("shapes")
    assert [document.id async for document in one_by_one] == expected
