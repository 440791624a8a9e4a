"""Reads one shard of an index into a polars frame.

python shard_to_polars.py REPOSITORY SNAPSHOT INDEX SHARD
"""

import sys

import polars
import snapfill


def frame(repository: str, snapshot: str, index: str, shard: int) -> polars.DataFrame:
    with snapfill.Repository(repository).snapshot(snapshot).documents(index=index, shard=shard) as documents:
        found = list(documents)
    sources = polars.read_ndjson(b"\n".join(document.source for document in found))
    return sources.with_columns(polars.Series("_id", [document.id for document in found]))


if __name__ == "__main__":
    print(frame(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
