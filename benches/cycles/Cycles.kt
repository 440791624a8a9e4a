package io.snapfill.benches

import io.snapfill.Backfill
import io.snapfill.BackfillOptions
import io.snapfill.Event
import io.snapfill.Repository
import java.io.File
import java.nio.file.Files
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.DurationUnit
import kotlin.time.measureTime
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

/** Seconds from the cancelling of a coroutine to its end. */
private suspend fun byCancelling(repository: String, target: File): Double = coroutineScope {
    // More than a minute unless it is interrupted.
    val backfill = Backfill(
        BackfillOptions(
            target = target.path,
            repository = repository,
            snapshot = "snap-2",
            indices = listOf("shapes"),
            maxDocsPerSecond = 5u,
            bulkDocuments = 5u,
            bulksInFlight = 1u,
        ),
    )
    val told = backfill.events()
    backfill.start()
    told.first { it is Event.Progress }
    val waiting = launch { backfill.wait() }
    delay(10.milliseconds)
    val took = measureTime { waiting.cancelAndJoin() }
    check(backfill.status().fleet.running == 0uL)
    took.toDouble(DurationUnit.SECONDS)
}

/** What is in use once all is quiet. */
private suspend fun tell(done: Int) {
    System.gc()
    delay(1500.milliseconds)
    val resident = File("/proc/self/status").readLines().first { it.startsWith("VmRSS:") }
    val (threads, files) = listOf("task", "fd").map { File("/proc/self/$it").list().orEmpty().size }
    println("""{"cycles": $done, "kib": ${resident.filter(Char::isDigit)}, "threads": $threads, "files": $files}""")
}

/** Starts backfills and cancels them, over and over, and says what this process has in use, and how long each cancelling took. */
fun main(arguments: Array<String>): Unit = runBlocking {
    val (repository, words) = arguments
    val cycles = words.toInt()
    val every = maxOf(cycles / 10, 1)
    val took = (1..cycles).map { cycle ->
        val folder = Files.createTempDirectory("snapfill-cycles-").toFile()
        val seconds = byCancelling(repository, folder)
        folder.deleteRecursively()
        Repository(repository).snapshot("snap-2").documents().first()
        if (cycle % every == 0) tell(cycle)
        seconds
    }
    println("""{"interrupted": {"coroutine": $took}}""")
}
