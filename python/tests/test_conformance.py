"""The scenarios of ``tests/conformance``, through the blocking half and through the asynchronous one."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import snapfill
from conftest import FIXTURES, ROOT
from snapfill import aio

SCENARIOS = sorted((ROOT / "tests" / "conformance").glob("*.json"))
assert SCENARIOS, "there is no scenario"


class Client:
    """Makes steps of a scenario through one half of the package."""

    def __init__(self, half: Any, folder: Path, cluster: str) -> None:
        self.half = half
        self.names = {"fixtures": str(FIXTURES), "tmp": str(folder), "cluster": cluster}
        self.backfills: dict[str, Any] = {}
        self.events: dict[str, Any] = {}

    async def step(self, step: dict[str, Any]) -> None:
        verb, given = step["do"], self.fill(step.get("with", {}))
        try:
            result = await self.do(verb, given, self.fill(step["of"]) if "of" in step else None)
        except snapfill.SnapfillError as error:
            assert error.code == step.get("fails"), f"{verb} failed: {error}"
            assert type(error).code == error.code and str(error)
            assert error.retryable == step.get("retryable", error.retryable)
            return
        assert "fails" not in step, f"{verb} gave {result}"
        if "save" in step:
            assert result is not None
            self.names[step["save"]] = result
        if "gives" in step:
            assert holds(result, self.fill(step["gives"])), f"{verb} gave {result}"

    async def do(self, verb: str, given: dict[str, Any], of: dict[str, Any] | None) -> Any:
        if of is not None:
            return await self.of_backfill(verb, given, of)
        if verb == "write":
            file = Path(given["file"])
            file.parent.mkdir(parents=True, exist_ok=True)
            return file.write_text(given["text"])
        if verb == "tell":
            return tell(given["url"], given["say"])
        if verb.startswith("cluster_"):
            cluster = self.half.Cluster(given.pop("address"))
            return await plain(getattr(cluster, verb.removeprefix("cluster_"))(**given))
        repository = self.half.Repository(given["repository"])
        if verb == "snapshots":
            return await plain(repository.snapshots())
        snapshot = repository.snapshot(given["snapshot"])
        if verb == "documents":
            return await documents(snapshot.documents(given.get("index"), given.get("shard")), given.get("batch", 1000))
        assert verb in ("info", "indices"), f"no verb {verb}"
        return await plain(getattr(snapshot, verb)())

    async def of_backfill(self, verb: str, given: dict[str, Any], of: dict[str, Any]) -> Any:
        key = json.dumps(of, sort_keys=True)
        if key not in self.backfills:
            self.backfills[key] = self.half.Backfill(**of)
            self.events[key] = self.backfills[key].events()
        backfill = self.backfills[key]
        if verb == "events":
            told = [event async for event in each(self.events[key])]
            return [re.sub(r"(?<=.)(?=[A-Z])", "_", type(event).__name__).lower() for event in told]
        if verb == "scale_gradually":
            return await plain([step async for step in each(backfill.scale_gradually(**given))])
        if verb == "failed_documents":
            failed = backfill.failed_documents(indices=given.get("indices"), classes=given.get("classes"))
            return await plain([one async for some in each(failed.batches(given.get("batch", 1000))) for one in some])
        if verb == "deep_status":
            return await plain(backfill.status(deep=True))
        return await plain(getattr(backfill, verb)(**given))

    def fill(self, value: Any) -> Any:
        """Puts names in their places."""
        if isinstance(value, dict):
            return {name: self.fill(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.fill(inner) for inner in value]
        if isinstance(value, str):
            return re.sub(r"\$(\w+)", lambda found: self.names[found[1]], value)
        return value


def tell(url: str, say: dict[str, Any]) -> None:
    """Tells a fake something."""
    request = urllib.request.Request(url, json.dumps(say).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200


async def plain(value: Any) -> Any:
    """What a call gave, awaited where it must be, as JSON would have it."""
    if inspect.isawaitable(value):
        value = await value
    if isinstance(value, list):
        return [dataclasses.asdict(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value


async def each(stream: Any) -> Any:
    """What a stream of either kind has."""
    if hasattr(stream, "__aiter__"):
        async for item in stream:
            yield item
    else:
        for item in stream:
            yield item


async def documents(stream: Any, batch: int) -> Any:
    found = []
    async for some in each(stream.batches(batch)):
        assert 1 <= len(some) <= batch
        found.extend(some)
    names = ("index", "shard", "id", "routing", "type", "parent")
    rows = [{**{name: getattr(one, name) for name in names}, "source": one.source.decode()} for one in found]
    return {"count": len(rows), "skipped": stream.skipped, "documents": rows}


def holds(actual: Any, expected: Any) -> bool:
    """Whether a result has what is expected of it."""
    if isinstance(expected, dict):
        if set(expected) == {"at_least"}:
            return bool(actual >= expected["at_least"])
        if set(expected) == {"length"}:
            return bool(len(actual) == expected["length"])
        return all(name in actual and holds(actual[name], inner) for name, inner in expected.items())
    if isinstance(expected, list):
        return all(any(holds(item, inner) for item in actual) for inner in expected)
    return bool(actual == expected)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda file: file.stem)
@pytest.mark.parametrize("half", [snapfill, aio], ids=["blocking", "asynchronous"])
async def test_conformance(half: Any, scenario: Path, tmp_path: Path, cluster: str) -> None:
    client = Client(half, tmp_path, cluster)
    for step in json.loads(scenario.read_text())["steps"]:
        await client.step(step)
