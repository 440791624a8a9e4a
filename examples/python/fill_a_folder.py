"""Fills a folder with documents of a snapshot, shows how it comes forward, and tells what was moved.

python fill_a_folder.py REPOSITORY SNAPSHOT FOLDER [INDEX ...]
"""

import sys

import snapfill
from snapfill import events


def show(event: events.Event) -> None:
    if isinstance(event, events.ItemCompleted):
        print(f"{event.index}[{event.shard}] is done")


def main(repository: str, snapshot: str, folder: str, *indices: str) -> int:
    backfill = snapfill.Backfill(repository=repository, snapshot=snapshot, target=folder, indices=indices or None, workers=2)
    print("will fill:", ", ".join(index.name for index in backfill.plan().migrated))
    try:
        end = backfill.run(on_event=show)
    except snapfill.SnapfillError as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return 1
    work = backfill.status(deep=True).work
    assert work is not None, "a run that has ended is planned"
    print(f"{end}: {work.books.written} documents written, {work.books.failed} failed")
    return 0 if end == "completed" else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
