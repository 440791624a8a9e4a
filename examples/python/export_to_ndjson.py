"""Writes one index of a snapshot to a file, one document a line, as `_bulk` would read it. No cluster is needed.

python export_to_ndjson.py REPOSITORY SNAPSHOT INDEX FILE
"""

import json
import sys
from pathlib import Path

import snapfill


def main(repository: str, snapshot: str, index: str, file: str) -> None:
    count = 0
    with (
        snapfill.Repository(repository).snapshot(snapshot).documents(index=index) as documents,
        Path(file).open("wb") as output,
    ):
        for batch in documents.batches():
            for document in batch:
                action: dict[str, str] = {"_index": document.index, "_id": document.id}
                if document.routing is not None:
                    action["routing"] = document.routing
                output.write(json.dumps({"index": action}).encode() + b"\n" + document.source + b"\n")
                count += 1
    print(f"{count} documents")


if __name__ == "__main__":
    main(*sys.argv[1:])
