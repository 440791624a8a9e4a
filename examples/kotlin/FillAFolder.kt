/**
 * Fills a folder with documents of a snapshot, shows how it comes forward, and tells what was moved.
 *
 * java -cp … FillAFolderKt REPOSITORY SNAPSHOT FOLDER [INDEX ...]
 */

import io.snapfill.Backfill
import io.snapfill.BackfillOptions
import io.snapfill.Event
import io.snapfill.SnapfillException
import kotlin.system.exitProcess

suspend fun main(words: Array<String>) {
    if (words.size < 3) {
        System.err.println("usage: FillAFolderKt REPOSITORY SNAPSHOT FOLDER [INDEX ...]")
        exitProcess(2)
    }
    val (repository, snapshot, target) = words
    val options = BackfillOptions(
        repository = repository,
        snapshot = snapshot,
        target = target,
        indices = words.drop(3),
        workers = 2u,
    )
    exitProcess(if (fill(Backfill(options)) == "completed") 0 else 1)
}

private suspend fun fill(backfill: Backfill): String? {
    val planned = backfill.plan().indices.filter { it.decision == "migrate" }
    println("will fill: ${planned.joinToString { it.name }}")
    try {
        val end = backfill.run { if (it is Event.ItemCompleted) println("${it.index}[${it.shard}] is done") }
        val books = backfill.deepStatus().work.books
        println("$end: ${books.written} documents written, ${books.failed} failed")
        return end
    } catch (error: SnapfillException) {
        System.err.println("${error.code}: ${error.message}")
        return null
    }
}
