package io.snapfill

import com.google.gson.JsonArray
import com.google.gson.JsonElement
import com.google.gson.JsonObject
import com.google.gson.JsonParser
import com.google.gson.JsonPrimitive
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.nio.file.Files
import java.nio.file.Path
import java.time.Duration
import kotlin.io.path.createDirectories
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.name
import kotlin.io.path.readText
import kotlin.io.path.writeText
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory

/** The scenarios of `tests/conformance`. */
class ConformanceTest {
    @TestFactory
    fun scenarios(): List<DynamicTest> {
        val files = ROOT.resolve("tests/conformance").listDirectoryEntries("*.json").sorted()
        assertTrue(files.isNotEmpty(), "there is no scenario")
        return files.map { file -> DynamicTest.dynamicTest(file.name) { play(file) } }
    }

    private fun play(file: Path) = runBlocking {
        val folder = Files.createTempDirectory("snapfill")
        try {
            val steps = JsonParser.parseString(file.readText()).asJsonObject["steps"].asJsonArray
            Fakes().use { fakes ->
                val client = Client(folder, fakes.places["cluster"].asString)
                steps.forEach { client.step(it.asJsonObject) }
            }
        } finally {
            folder.toFile().deleteRecursively()
        }
    }
}

/** Makes the steps of a scenario. */
private class Client(folder: Path, cluster: String) {
    private val names =
        mutableMapOf("fixtures" to FIXTURES.toString(), "tmp" to folder.toString(), "cluster" to cluster)
    private val backfills = mutableMapOf<JsonObject, Pair<Backfill, Events>>()

    suspend fun step(step: JsonObject) {
        val verb = step["do"].asString
        val given = step["with"]?.let { filled(it).asJsonObject } ?: JsonObject()
        val result = try {
            json(step["of"]?.let { ofBackfill(verb, given, filled(it).asJsonObject) } ?: alone(verb, given))
        } catch (error: SnapfillException) {
            assertEquals(step["fails"]?.asString, error.code, "$verb failed: $error")
            assertTrue(!error.message.isNullOrEmpty())
            step["retryable"]?.let { assertEquals(it.asBoolean, error.retryable, "$error") }
            return
        }
        assertTrue("fails" !in step.keySet(), "$verb gave $result and should fail")
        step["save"]?.let { names[it.asString] = result.asString }
        step["gives"]?.let { assertTrue(holds(result, filled(it)), "$verb gave $result") }
    }

    private suspend fun ofBackfill(verb: String, given: JsonObject, of: JsonObject): Any {
        val (backfill, events) = backfills.getOrPut(of) { Backfill(options(of)).let { it to it.events() } }
        val folder = given["folder"]?.let { Path.of(it.asString) }
        return when (verb) {
            "plan" -> backfill.plan()
            "start" -> backfill.start()
            "scale" -> backfill.scale(given["workers"].asInt.toUInt())
            "scale_gradually" -> backfill.scaleGradually(given["workers"].asInt.toUInt(), gradual(given)).toList()
            "pause" -> backfill.pause()
            "stop" -> json(backfill.stop(folder))
            "archive" -> json(backfill.archive(folder))
            "restore" -> backfill.restore(Path.of(given["file"].asString))
            "reset" -> json(backfill.reset(folder))
            "status" -> backfill.status()
            "deep_status" -> backfill.deepStatus()
            "limits" -> backfill.limits()
            "limit" -> backfill.limit(RateLimits(number(given, "documents_per_second"), number(given, "bytes_per_second")))
            "failed_summary" -> backfill.failedSummary()
            "failed_documents" -> {
                val size = given["batch"]?.asInt ?: 1000
                val batches = backfill.failedDocuments(failedFilter(given)).batches(size.toUInt()).toList()
                batches.forEach { assertTrue(it.size in 1..size) }
                batches.flatten()
            }
            "redrive" -> backfill.redrive(failedFilter(given))
            "report" -> backfill.report()
            "wait" -> backfill.wait()
            "events" -> events.toList().map { words(it.javaClass.simpleName) }
            else -> error("no verb $verb of a backfill")
        }
    }

    private suspend fun alone(verb: String, given: JsonObject): Any {
        if (verb == "write") {
            val file = Path.of(given["file"].asString)
            file.parent.createDirectories()
            return file.writeText(given["text"].asString)
        }
        if (verb == "tell") {
            val body = HttpRequest.BodyPublishers.ofString(given["say"].toString())
            val request = HttpRequest.newBuilder(URI(given["url"].asString)).POST(body).build()
            val answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString())
            return assertEquals(200, answer.statusCode())
        }
        if (verb.startsWith("cluster_")) {
            val cluster = Cluster(given["address"].asString)
            return when (verb) {
                "cluster_info" -> cluster.info()
                "cluster_indices" -> cluster.indices()
                "cluster_count" -> cluster.count(given["index"].asString)
                else -> error("no verb $verb of a cluster")
            }
        }
        val repository = Repository(given["repository"].asString)
        if (verb == "snapshots") return repository.snapshots()
        val snapshot = repository.snapshot(given["snapshot"].asString)
        return when (verb) {
            "info" -> snapshot.info()
            "indices" -> snapshot.indices()
            "documents" -> {
                val documents = snapshot.documents(given["index"]?.asString, given["shard"]?.asInt?.toUInt())
                read(documents, given["batch"]?.asInt ?: 1000)
            }
            else -> error("no verb $verb")
        }
    }

    /** Puts names in their places. */
    private fun filled(value: JsonElement): JsonElement = when {
        value is JsonObject -> JsonObject().apply { value.entrySet().forEach { (name, inner) -> add(name, filled(inner)) } }
        value is JsonArray -> JsonArray().apply { value.forEach { add(filled(it)) } }
        value is JsonPrimitive && value.isString ->
            JsonPrimitive(Regex("\\$(\\w+)").replace(value.asString) { found -> names.getValue(found.groupValues[1]) })
        else -> value
    }
}

private suspend fun read(documents: Documents, size: Int): Any {
    val batches = documents.batches(size.toUInt()).toList()
    batches.forEach { assertTrue(it.size in 1..size) }
    val found = batches.flatten()
    return mapOf("count" to found.size, "skipped" to documents.skipped, "documents" to found)
}

private fun number(given: JsonObject, name: String): ULong? = given[name]?.takeUnless { it.isJsonNull }?.asLong?.toULong()

private fun failedFilter(given: JsonObject) = FailedFilter(
    indices = given["indices"]?.asJsonArray?.map { it.asString }.orEmpty(),
    classes = given["classes"]?.asJsonArray?.map { it.asString }.orEmpty(),
)

private fun gradual(given: JsonObject) = GradualOptions(
    step = given["step"]?.asInt?.toUInt(),
    settle = given["settle"]?.asLong?.let { Duration.ofSeconds(it) },
    maxCpuPercent = given["max_cpu_percent"]?.asInt?.toUByte(),
    worstStatus = given["worst_status"]?.asString,
)

private fun options(of: JsonObject): BackfillOptions =
    of.entrySet().fold(BackfillOptions(target = "")) { options, (name, value) ->
        when (name) {
            "target" -> options.copy(target = value.asString)
            "repository" -> options.copy(repository = value.asString)
            "snapshot" -> options.copy(snapshot = value.asString)
            "coordinator" -> options.copy(coordinator = value.asString)
            "state" -> options.copy(state = value.asString)
            "types" -> options.copy(types = value.asString)
            "indices" -> options.copy(indices = value.asJsonArray.map { it.asString })
            "max_docs_per_second" -> options.copy(maxDocsPerSecond = value.asLong.toULong())
            "bulk_documents" -> options.copy(bulkDocuments = value.asLong.toULong())
            else -> error("no option $name")
        }
    }
