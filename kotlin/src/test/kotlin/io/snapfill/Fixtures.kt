package io.snapfill

import java.io.File
import java.nio.file.Path
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.delay
import org.junit.jupiter.api.Assertions.assertTrue

/** The root of this workspace: Maven runs tests in the project's folder. */
val ROOT: Path = Path.of("..").toAbsolutePath().normalize()

/** Real snapshots. */
val FIXTURES: Path = ROOT.resolve("tests/fixtures")

/** A repository with the snapshots `snap-1` and `snap-2`. */
val REPOSITORY: Path = FIXTURES.resolve("opensearch-3.8.0/repo")

/** Threads of the native half, and open files below a folder. */
fun inUse(folder: Path): List<Int> {
    fun entries(name: String) = File("/proc/self/$name").listFiles().orEmpty().toList()
    val threads = entries("task").map { runCatching { it.resolve("comm").readText().trim() }.getOrDefault("") }
    val files = entries("fd").map { runCatching { it.canonicalPath }.getOrDefault("") }
    return listOf(threads.count { it == "snapfill" }, files.count { it.startsWith(folder.toRealPath().toString()) })
}

/** KiB of memory that this process has in use. */
fun resident(): Long =
    File("/proc/self/status").readLines().first { it.startsWith("VmRSS:") }.filter(Char::isDigit).toLong()

/** Waits until no more is in use than before: threads without work stay for a while, and handles until they are collected. */
suspend fun settles(folder: Path, before: List<Int>) {
    val began = TimeSource.Monotonic.markNow()
    while (inUse(folder).zip(before).any { (now, then) -> now > then }) {
        assertTrue(began.elapsedNow() < 30.seconds, "${inUse(folder)} in use, and $before before")
        System.gc()
        delay(50.milliseconds)
    }
}
