package io.snapfill

import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readText
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.io.TempDir

/** What needs a real server: a fleet on Amazon ECS. */
@Timeout(180, unit = TimeUnit.SECONDS)
class PlatformTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `an AWS fleet is driven and stopped when done`(): Unit = runBlocking {
        Fakes("--workers", Fakes.BUILT.resolve("snapfill").toString()).use { fakes ->
            val server = fakes.places["server"].asString
            val said = example(server, fakes.places["ecs"].asJsonObject.asMap().mapValues { it.value.asString })
            assertTrue(said.first().startsWith("Up to 1 worker: "), "$said")
            assertTrue(said[said.size - 2].startsWith("Done with "), "$said")
            val last = Regex("completed: 402 documents written, 0 failed; archived in .*")
            assertTrue(last.matches(said.last()), "$said")
            assertEquals(348uL, Cluster(server).count("shapes"))
        }
        assertTrue(folder.resolve("report.md").readText().startsWith("# "))
        assertTrue(folder.resolve("archives").listDirectoryEntries("*.json").isNotEmpty())
    }

    private fun example(server: String, ecs: Map<String, String>): List<String> {
        val settings = listOf("java.class.path", "jna.library.path").map { "-D$it=${System.getProperty(it)}" }
        val java = Path.of(System.getProperty("java.home"), "bin/java").toString()
        val repository = FIXTURES.resolve("opensearch-2.19.6/repo").toString()
        val failed = folder.resolve("failed").toString()
        val words = listOf(repository, "snap-2", server, ecs.getValue("cluster"), ecs.getValue("service"), failed, "3", "shapes,routed", "1", "6", "100")
        val builder = ProcessBuilder(listOf(java) + settings + "DriveAnAwsFleetKt" + words).directory(folder.toFile())
        builder.environment() += mapOf(
            "AWS_ENDPOINT_URL_ECS" to ecs.getValue("url"),
            "AWS_REGION" to "eu-west-1",
            "AWS_ACCESS_KEY_ID" to "AKIDFLEET",
            "AWS_SECRET_ACCESS_KEY" to "hunter2",
            "XDG_STATE_HOME" to folder.resolve("state").toString(),
        )
        val process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start()
        val said = process.inputReader().readLines()
        assertEquals(0, process.waitFor(), "$said")
        return said
    }
}
