package io.snapfill

import com.google.gson.JsonParser
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.readLines
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.io.TempDir

/** The examples, run as their users run them. */
@Timeout(60, unit = TimeUnit.SECONDS)
class ExamplesTest {
    @TempDir
    lateinit var folder: Path

    private fun example(name: String, vararg words: Any): List<String> {
        val settings = listOf("java.class.path", "jna.library.path").map { "-D$it=${System.getProperty(it)}" }
        val program = listOf(Path.of(System.getProperty("java.home"), "bin/java").toString()) + settings + name
        val process = ProcessBuilder(program + words.map { it.toString() }).redirectError(ProcessBuilder.Redirect.INHERIT).start()
        val said = process.inputStream.bufferedReader().readLines()
        assertEquals(0, process.waitFor(), said.toString())
        return said
    }

    @Test
    fun `a folder is filled`() {
        val said = example("FillAFolderKt", REPOSITORY, "snap-2", folder.resolve("filled"), "shapes")
        assertEquals("will fill: shapes", said.first())
        assertEquals(listOf("shapes[0] is done", "shapes[1] is done"), said.drop(1).dropLast(1).sorted())
        assertEquals("completed: 348 documents written, 0 failed", said.last())
    }

    @Test
    fun `an index is exported`() {
        val file = folder.resolve("routed.ndjson")
        assertEquals(listOf("54 documents"), example("ExportToNdjsonKt", REPOSITORY, "snap-2", "routed", file))
        val lines = file.readLines().map { JsonParser.parseString(it).asJsonObject }
        assertEquals(108, lines.size)
        val actions = lines.chunked(2).map { (action, _) -> action.getAsJsonObject("index") }
        assertTrue(actions.all { it.get("_index").asString == "routed" })
        assertTrue(actions.any { it.has("routing") })
    }
}
