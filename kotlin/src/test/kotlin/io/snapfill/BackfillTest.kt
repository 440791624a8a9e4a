package io.snapfill

import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.io.TempDir

@Timeout(60, unit = TimeUnit.SECONDS)
class BackfillTest {
    @TempDir
    lateinit var folder: Path

    private fun options() = BackfillOptions(
        target = folder.resolve("filled").toString(),
        repository = REPOSITORY.toString(),
        snapshot = "snap-2",
    )

    @Test
    fun `a run tells its events and fills the target`(): Unit = runBlocking {
        val events = mutableListOf<Event>()
        val backfill = Backfill(options().copy(indices = listOf("shapes"), workers = 2u))
        assertEquals("completed", backfill.run { events += it })
        val written = events.filterIsInstance<Event.ItemCompleted>().sumOf { it.books.written }
        assertEquals(348uL, written)
        assertEquals(348uL, backfill.deepStatus().work.books.written)
        assertEquals(348uL, Cluster(options().target).count("shapes"))
    }

    @Test
    fun `options that contradict each other are refused with the exception of their kind`() {
        val refused = assertThrows(ConfigException::class.java) { Backfill(options().copy(types = "mix")) }
        assertTrue(refused.message!!.contains("types is one of refuse, split, merge"), refused.message)
        assertEquals("CONFIG" to false, refused.code to refused.retryable)
    }

    @Test
    fun `a configuration file that is not there is refused`(): Unit = runBlocking {
        val missing = folder.resolve("none.toml")
        assertThrows(NotFoundException::class.java) { Backfill.fromConfig(missing) }
    }

    @Test
    fun `secrets are not shown`() {
        val options = options().copy(targetOptions = ClusterOptions(user = "filler", password = "hunter2"))
        assertTrue("filler" in options.toString() && "hunter2" !in options.toString(), "$options")
    }
}
