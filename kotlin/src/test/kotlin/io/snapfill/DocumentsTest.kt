package io.snapfill

import com.google.gson.JsonParser
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.flow.count
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout

@Timeout(60, unit = TimeUnit.SECONDS)
class DocumentsTest {
    private val shapes = Repository(REPOSITORY).snapshot("snap-2").documents(index = "shapes")

    @Test
    fun `documents are a flow that can be collected again`(): Unit = runBlocking {
        assertEquals(348, shapes.count())
        assertEquals(348, shapes.count())
        val document = shapes.first()
        assertEquals("shapes" to "1", document.index to document.id)
        assertTrue(JsonParser.parseString(document.text).isJsonObject)
    }

    @Test
    fun `batches are as large as was asked for, and in the same order`(): Unit = runBlocking {
        val batches = shapes.batches(7u).toList()
        assertTrue(batches.all { it.size in 1..7 })
        assertEquals(shapes.toList().map { it.id }, batches.flatten().map { it.id })
    }

    @Test
    fun `who takes fewer stops the reading`(): Unit = runBlocking {
        assertEquals(listOf("1"), shapes.take(1).toList().map { it.id })
    }

    @Test
    fun `a cancelled collection ends, and the next one reads everything`(): Unit = runBlocking {
        val begun = CompletableDeferred<Unit>()
        val reading = launch {
            shapes.collect {
                begun.complete(Unit)
                awaitCancellation()
            }
        }
        begun.await()
        reading.cancelAndJoin()
        assertTrue(reading.isCancelled)
        assertEquals(348, shapes.count())
    }

    @Test
    fun `nothing is read before it is collected`() {
        val nowhere = Repository("/no/such/folder").snapshot("none").documents()
        val error = assertThrows(NotFoundException::class.java) { runBlocking { nowhere.count() } }
        assertEquals("NOT_FOUND", error.code)
        assertTrue(error.message!!.contains("/no/such/folder"), error.message)
    }
}
