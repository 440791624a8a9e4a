"""Documents that are changed on their way."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
import snapfill
from conftest import ROOT
from snapfill import Document, aio, events


def documents_of(target: Path) -> int:
    return snapfill.Cluster(target).count("shapes")


def backfill(repository: Path, target: Path, transform: Any, **options: Any) -> snapfill.Backfill:
    return snapfill.Backfill(
        repository=repository, snapshot="snap-2", target=target, indices="shapes", transform=transform, **options
    )


def change(document: Document) -> Document | list[Document] | None:
    """By the first letter's code: none, one that is changed, two, a failure."""
    kind = sum(document.id.encode()) % 4
    if kind == 0:
        return None
    if kind == 1:
        source = {**document.json(), "seen": document.id}
        return document.replace(source=json.dumps(source, indent=1).encode())
    if kind == 2:
        return [document, document.replace(id=f"{document.id}-copy", source=b"{}")]
    raise ValueError(f"not {document.id}")


def test_documents_are_dropped_changed_split_and_refused(repository: Path, tmp_path: Path) -> None:
    read = list(snapfill.Repository(repository).snapshot("snap-2").documents(index="shapes"))
    kinds = [sum(document.id.encode()) % 4 for document in read]
    told: list[events.Event] = []
    run = backfill(repository, tmp_path, change, workers=2)
    assert run.run(told.append) == "completed_with_errors"
    books = run.status(deep=True).work.books
    assert books.skipped == {"filtered": kinds.count(0)} and min(map(kinds.count, range(4))) > 0
    assert (books.failed, books.added) == (kinds.count(3), kinds.count(2))
    assert books.written == documents_of(tmp_path) == kinds.count(1) + 2 * kinds.count(2)
    assert books.written + books.failed + books.skipped["filtered"] - books.added == len(read)
    failed = {event.id: event.reason for event in told if isinstance(event, events.DocumentFailed)}
    assert failed == {
        document.id: f"transform: ValueError: not {document.id}" for document, kind in zip(read, kinds) if kind == 3
    }


def test_what_is_given_must_be_documents_of_the_same_index_with_ids_of_their_own(repository: Path, tmp_path: Path) -> None:
    def wrong(document: Document) -> Any:
        answers: list[Any] = [
            {"a": 1},
            [document, document],
            Document("elsewhere", document.id, b"{}"),
            document.replace(source=b"[]"),
            [document, "x"],
        ]
        return answers[sum(document.id.encode()) % len(answers)]

    told: list[events.Event] = []
    assert backfill(repository, tmp_path, wrong).run(told.append) == "completed_with_errors"
    reasons = "\n".join(event.reason for event in told if isinstance(event, events.DocumentFailed))
    for part in ("not dict", "two documents of the id", "of the index `elsewhere`", "is not a JSON object", "not str"):
        assert part in reasons
    assert documents_of(tmp_path) == 0


def test_the_page_on_transforms_does_what_it_says(repository: Path, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "transform.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0]
    names: dict[str, Any] = {}
    exec(code.replace('"/backups"', repr(str(repository))).replace('"nightly"', '"snap-2"').replace('"./filled"', f"{str(tmp_path)!r}, indices='shapes'"), names)
    assert names["backfill"].status(deep=True).end == "completed"
    change = names["change"]
    assert change(Document("x", "1", b'{"deleted": true}')) is None
    changed, note = change(Document("x", "1", b'{"note": "n", "card": "1234"}'))
    assert (changed.id, changed.json()["card"], note.id, note.json()) == ("1", "****", "1-note", {"text": "n"})


def test_another_program_does_not_go_on_without_it(repository: Path, tmp_path: Path) -> None:
    assert backfill(repository, tmp_path, lambda document: document).run() == "completed"
    with pytest.raises(snapfill.InvalidStateError, match="changed by a transform"):
        backfill(repository, tmp_path, None).start()


def test_only_functions_of_workers_in_this_process(repository: Path, tmp_path: Path) -> None:
    async def later(document: Document) -> Document:
        return document

    with pytest.raises(TypeError, match="not a coroutine function"):
        backfill(repository, tmp_path, later)
    with pytest.raises(TypeError, match="expected a function, not str"):
        backfill(repository, tmp_path, "lower")
    with pytest.raises(snapfill.ConfigError, match="a transform is a function of this process"):
        backfill(repository, tmp_path, change, fleet=snapfill.KubernetesFleet(deployment="workers"))


def test_what_is_no_exception_ends_the_run(repository: Path, tmp_path: Path) -> None:
    def leave(document: Document) -> Document:
        raise SystemExit("enough")

    with pytest.raises(snapfill.CancelledError, match="SystemExit: enough"):
        backfill(repository, tmp_path, leave).run()
    assert documents_of(tmp_path) == 0


def test_ctrl_c_ends_a_run_whose_transform_takes_its_time(repository: Path, tmp_path: Path) -> None:
    begun, free = threading.Event(), threading.Event()

    def slow(document: Document) -> Document:
        begun.set()
        free.wait()
        return document

    def interrupt() -> None:
        begun.wait()
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        backfill(repository, tmp_path, slow).run()
    thread.join()
    assert documents_of(tmp_path) == 0, "it did not wait for it"
    free.set()
    assert backfill(repository, tmp_path, slow).run() == "completed"


def test_a_transform_is_called_while_the_loop_goes_on(repository: Path, tmp_path: Path) -> None:
    threads = set()

    def note(document: Document) -> Document:
        threads.add(threading.get_ident())
        return document

    async def run() -> str:
        made = aio.Backfill(repository=repository, snapshot="snap-2", target=tmp_path, indices="shapes", transform=note)
        return await made.run()

    assert asyncio.run(run()) == "completed"
    assert threads and threading.get_ident() not in threads


def test_a_document_is_replaced_in_part() -> None:
    document = Document("logs", "1", b"{}", routing="r", type="t", parent="p")
    other = document.replace(id="2", routing=None, source=b'{"a":1}')
    assert (other.index, other.id, other.routing, other.type, other.parent) == ("logs", "2", None, "t", "p")
    assert other.json() == {"a": 1} and document.id == "1"
    for wrong in ({"index": "x"}, {"id": 1}, {"source": "{}"}, {"id": None}):
        with pytest.raises(TypeError):
            document.replace(**wrong)
