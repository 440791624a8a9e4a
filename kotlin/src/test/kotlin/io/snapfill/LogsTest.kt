package io.snapfill

import java.nio.file.Path
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import java.util.logging.Handler
import java.util.logging.Level
import java.util.logging.Logger
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.io.TempDir

@Timeout(60, unit = TimeUnit.SECONDS)
class LogsTest {
    @TempDir
    lateinit var folder: Path

    @AfterEach
    fun nobody(): Unit = Logs.toNobody()

    private fun run(target: String): Unit = runBlocking {
        val options = BackfillOptions(
            target = folder.resolve(target).toString(),
            repository = REPOSITORY.toString(),
            snapshot = "snap-2",
            indices = listOf("shapes"),
        )
        assertEquals("completed", Backfill(options).run())
    }

    @Test
    fun `a sink is told what it asks for, and may ask for something itself`() {
        val told = LinkedBlockingQueue<LogRecord>()
        val counts = LinkedBlockingQueue<Int>()
        Logs.to("snapfill=debug") { record ->
            told += record
            if (record.message == "the run is planned") counts += runBlocking { Repository(REPOSITORY).snapshots().size }
        }
        run("first")
        val records = generateSequence { told.poll(30, TimeUnit.SECONDS) }.takeWhile { it.message != "worker ended" }.toList()
        val planned = records.first { it.message == "the run is planned" }
        assertEquals("info" to "snapfill::backfill", planned.level to planned.target)
        assertTrue(planned.fields.contains("\"documents\":"), planned.fields)
        assertTrue(records.any { it.level == "debug" })
        assertEquals(2, counts.poll(30, TimeUnit.SECONDS))

        Logs.toNobody()
        while (told.poll(100, TimeUnit.MILLISECONDS) != null) { }
        run("second")
        assertNull(told.poll(100, TimeUnit.MILLISECONDS))
    }

    @Test
    fun `what a sink throws ends nothing`() {
        val told = LinkedBlockingQueue<LogRecord>()
        val before = Thread.getDefaultUncaughtExceptionHandler()
        val thrown = LinkedBlockingQueue<Throwable>()
        Thread.setDefaultUncaughtExceptionHandler { _, error -> thrown += error }
        try {
            Logs.to("snapfill=info") { record ->
                told += record
                error("no place for it")
            }
            run("first")
            assertEquals("no place for it", thrown.poll(30, TimeUnit.SECONDS)?.message)
            assertNotNull(told.poll(30, TimeUnit.SECONDS))
            assertNotNull(told.poll(30, TimeUnit.SECONDS))
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before)
        }
    }

    @Test
    fun `records go to the loggers of the system`() {
        val told = LinkedBlockingQueue<java.util.logging.LogRecord>()
        val logger = Logger.getLogger("snapfill.backfill")
        val handler = object : Handler() {
            override fun publish(record: java.util.logging.LogRecord) {
                told += record
            }
            override fun flush(): Unit = Unit
            override fun close(): Unit = Unit
        }
        logger.addHandler(handler)
        logger.useParentHandlers = false
        try {
            Logs.toSystemLogger()
            run("first")
            val first = told.poll(30, TimeUnit.SECONDS)
            assertEquals(Level.INFO, first?.level)
            assertTrue(first!!.message.startsWith("the run is planned {"), first.message)
        } finally {
            logger.removeHandler(handler)
            logger.useParentHandlers = true
        }
    }

    @Test
    fun `a filter that cannot be understood is refused`() {
        val refused = assertThrows(ConfigException::class.java) { Logs.to("snapfill=loud") { } }
        assertTrue(refused.message!!.contains("snapfill=loud"), refused.message)
    }
}
