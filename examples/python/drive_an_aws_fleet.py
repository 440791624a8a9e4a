"""Fills a cluster by the tasks of an Amazon ECS service: more of them as long as the target is well, and none when all is done.

python drive_an_aws_fleet.py --repository s3://backups/nightly --snapshot snap-1 --target https://search.example.com \\
    --cluster migration --service workers --failed-store s3://backups/failed --workers 10
"""

import argparse
import os
import sys
from pathlib import Path

import snapfill


def arguments() -> argparse.Namespace:
    words = argparse.ArgumentParser()
    for name in ("repository", "snapshot", "target", "cluster", "service", "failed-store"):
        words.add_argument(f"--{name}", required=True)
    words.add_argument("--index", action="append", help="an index or a pattern; may be given several times")
    words.add_argument("--workers", type=int, default=10)
    words.add_argument("--settle", type=float, help="seconds that the target must have been well before another step")
    words.add_argument("--max-cpu", type=int, help="percent of the target's processors up to which there are more workers")
    words.add_argument("--lease", type=float, help="seconds after which others take over from a worker that died")
    words.add_argument("--archives", type=Path, default=Path("archives"))
    return words.parse_args()


def main() -> int:
    given = arguments()
    backfill = snapfill.Backfill(
        repository=given.repository,
        snapshot=given.snapshot,
        target=given.target,
        failed_store=given.failed_store,
        indices=given.index,
        lease=given.lease,
        fleet=snapfill.EcsFleet(
            cluster=given.cluster,
            service=given.service,
            endpoint=os.environ.get("AWS_ENDPOINT_URL_ECS"),
            # A folder of this machine is meant to be one that the tasks mount, too.
            shared_folders="://" not in given.repository,
        ),
    )
    try:
        for step in backfill.scale_gradually(given.workers, settle=given.settle, max_cpu_percent=given.max_cpu):
            print(step)
        end = backfill.wait()
    except KeyboardInterrupt:
        backfill.pause()
        print("paused; the same command goes on there")
        return 130
    report = backfill.report()
    Path("report.md").write_text(report.markdown)
    # Nothing is left to be done: the tasks are sent away, and the working state becomes a file.
    archive = backfill.stop(given.archives)
    print(f"{end}: {report.books.written} documents written, {report.books.failed} failed; archived in {archive}")
    return 0 if end == "completed" else 1


if __name__ == "__main__":
    sys.exit(main())
