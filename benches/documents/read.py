"""Reads all documents of a snapshot in batches, and says how long that took."""

import json
import sys
import time

import snapfill

repository, snapshot = sys.argv[1:]
count = size = ids = 0
began = time.perf_counter()
with snapfill.Repository(repository).snapshot(snapshot).documents() as documents:
    for batch in documents.batches():
        for document in batch:
            count += 1
            size += len(document.source)
            ids += len(document.id)
print(json.dumps({"documents": count, "bytes": size, "ids": ids, "seconds": time.perf_counter() - began}))
