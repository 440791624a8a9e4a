/**
 * Writes one index of a snapshot to a file, one document a line, as `_bulk` would read it. No cluster is needed.
 *
 * java -cp … ExportToNdjsonKt REPOSITORY SNAPSHOT INDEX FILE
 */

import io.snapfill.Document
import io.snapfill.Repository
import io.snapfill.text
import java.nio.file.Path
import kotlin.io.path.bufferedWriter
import kotlin.system.exitProcess

suspend fun main(words: Array<String>) {
    if (words.size != 4) {
        System.err.println("usage: ExportToNdjsonKt REPOSITORY SNAPSHOT INDEX FILE")
        exitProcess(2)
    }
    val (repository, snapshot, index, file) = words
    var count = 0
    Path.of(file).bufferedWriter().use { output ->
        Repository(repository).snapshot(snapshot).documents(index = index).batches().collect { batch ->
            batch.forEach { output.write(lines(it)) }
            count += batch.size
        }
    }
    println("$count documents")
}

/** The two lines of a document. */
private fun lines(document: Document): String {
    val routing = document.routing?.let { ""","routing":${quoted(it)}""" }.orEmpty()
    val action = """{"index":{"_index":${quoted(document.index)},"_id":${quoted(document.id)}$routing}}"""
    return "$action\n${document.text}\n"
}

/** A text as JSON has it. */
private fun quoted(text: String): String = text.asIterable().joinToString("", "\"", "\"") {
    when {
        it == '"' || it == '\\' -> "\\$it"
        it < ' ' -> "\\u%04x".format(it.code)
        else -> it.toString()
    }
}
