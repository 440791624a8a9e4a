package io.snapfill

import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.api.io.TempDir
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource

/** Documents of the index. */
private const val SHAPES = 348uL

/** What is cancelled ends soon and in order, leaves nothing behind, and goes on where it stood. */
@Timeout(120, unit = TimeUnit.SECONDS)
class CancellingTest {
    @TempDir
    lateinit var folder: Path

    /** Takes more than a minute unless it is interrupted. */
    private fun endless() = BackfillOptions(
        target = folder.toString(),
        repository = REPOSITORY.toString(),
        snapshot = "snap-2",
        indices = listOf("shapes"),
        maxDocsPerSecond = 5u,
        bulkDocuments = 5u,
        bulksInFlight = 1u,
    )

    private suspend fun begun(): Backfill {
        val backfill = Backfill(endless())
        val events = backfill.events()
        backfill.start()
        events.first { it is Event.Progress }
        return backfill
    }

    private suspend fun goesOnWhereItStood() {
        val before = Backfill(endless()).deepStatus()
        assertEquals(listOf("STOPPED", 0uL, null), listOf(before.state, before.fleet.running, before.end))
        val written = before.work.books.written
        assertTrue(written in 1uL..<SHAPES, "$written")
        assertEquals(written, Cluster(folder.toString()).count("shapes"))
        val backfill = Backfill(endless().copy(maxDocsPerSecond = 1_000_000u))
        assertEquals("completed", backfill.run())
        assertEquals(SHAPES, backfill.deepStatus().work.books.written)
        assertEquals(SHAPES, Cluster(folder.toString()).count("shapes"))
    }

    @ParameterizedTest
    @ValueSource(strings = ["wait", "events", "run", "run with events"])
    fun `a cancelled coroutine pauses what runs and leaves nothing behind`(what: String): Unit = runBlocking {
        Repository(REPOSITORY).snapshots()
        val before = inUse(folder)
        cancels(what)
        goesOnWhereItStood()
        settles(folder, before)
    }

    private suspend fun cancels(what: String): Unit = coroutineScope {
        val backfill = begun()
        val interrupted = launch {
            when (what) {
                "wait" -> backfill.wait()
                "events" -> backfill.events().collect { }
                "run" -> backfill.run()
                else -> backfill.run { }
            }
        }
        delay(100.milliseconds)
        val took = measureTime { interrupted.cancelAndJoin() }
        assertTrue(took < 20.seconds, "it took $took")
        assertEquals(0uL, backfill.status().fleet.running)
    }

    @Test
    fun `a cancelled reading leaves nothing behind`(): Unit = runBlocking {
        val documents = Repository(REPOSITORY).snapshot("snap-2").documents()
        documents.first()
        val before = inUse(REPOSITORY)
        val reading = async { while (true) documents.collect { assertTrue(it.id.isNotEmpty()) } }
        delay(100.milliseconds)
        reading.cancelAndJoin()
        assertTrue(reading.isCancelled)
        settles(REPOSITORY, before)
    }

    private fun cycles(numbers: IntRange): Unit = runBlocking {
        for (number in numbers) {
            val backfill = Backfill(endless().copy(target = folder.resolve("$number").toString()))
            assertThrows<IllegalStateException> { backfill.run { if (it is Event.Progress) error("enough") } }
        }
    }

    @Test
    fun `beginning and interrupting over and over leaves nothing behind`(): Unit = runBlocking {
        cycles(1..10)
        delay(1500.milliseconds)
        System.gc()
        val before = listOf(inUse(folder).first(), 0)
        val memory = resident()
        cycles(11..60)
        settles(folder, before)
        assertTrue(resident() < memory + 64 * 1024, "${resident()} KiB, and $memory before")
    }

    @Test
    fun `a timeout pauses, and who takes fewer events does not`(): Unit = runBlocking {
        val backfill = begun()
        assertEquals(1uL, backfill.status().fleet.running)
        assertThrows<TimeoutCancellationException> { withTimeout(100.milliseconds) { backfill.wait() } }
        assertEquals(0uL, backfill.status().fleet.running)
    }
}
