package io.snapfill

import java.nio.file.Path

/** The root of this workspace: Maven runs tests in the project's folder. */
val ROOT: Path = Path.of("..").toAbsolutePath().normalize()

/** Real snapshots. */
val FIXTURES: Path = ROOT.resolve("tests/fixtures")

/** A repository with the snapshots `snap-1` and `snap-2`. */
val REPOSITORY: Path = FIXTURES.resolve("opensearch-3.8.0/repo")
