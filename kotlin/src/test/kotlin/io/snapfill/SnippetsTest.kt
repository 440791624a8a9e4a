package io.snapfill

import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.readText
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.io.TempDir
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource

/** What the texts show, with a snapshot that is there. */
private suspend fun snippet(repository: String, snapshot: String, index: String, target: String) {
    Repository(repository).snapshot(snapshot).documents(index = index).collect { println("${it.id} ${it.text}") }

    val backfill = Backfill(repository = repository, snapshot = snapshot, target = target)
    println(backfill.run())
}

@Timeout(60, unit = TimeUnit.SECONDS)
class SnippetsTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `the snippet does what it says`(): Unit = runBlocking {
        snippet(REPOSITORY.toString(), "snap-2", "shapes", folder.toString())
        assertEquals(348uL, Cluster(folder.toString()).count("shapes"))
    }

    @ParameterizedTest
    @ValueSource(strings = ["README.md", "kotlin/README.md"])
    fun `the texts show this snippet`(text: String) {
        val shown = ROOT.resolve(text).readText().substringAfter("```kotlin\n").substringBefore("```")
        val names = mapOf(
            "\"/backups/nightly\"" to "repository",
            "\"snap-1\"" to "snapshot",
            "\"logs\"" to "index",
            "\"./filled\"" to "target",
        )
        val body = shown.substringAfter("suspend fun main() {\n").substringBeforeLast("}\n")
        val general = names.entries.fold(body) { line, (value, name) -> line.replace(value, name) }
        val source = ROOT.resolve("kotlin/src/test/kotlin/io/snapfill/SnippetsTest.kt").readText()
        assertTrue(general.isNotBlank() && general in source, general)
    }
}
