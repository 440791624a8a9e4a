package io.snapfill.benches

import io.snapfill.Repository
import kotlin.time.measureTime
import kotlinx.coroutines.runBlocking

/** Reads all documents of a snapshot in batches, and says how long that took. */
fun main(arguments: Array<String>): Unit = runBlocking {
    val (repository, snapshot) = arguments
    var count = 0L
    var size = 0L
    var ids = 0L
    val took = measureTime {
        Repository(repository).snapshot(snapshot).documents().batches().collect { batch ->
            for (document in batch) {
                count += 1
                size += document.source.size
                ids += document.id.length
            }
        }
    }
    val seconds = took.inWholeMicroseconds / 1e6
    println("""{"documents": $count, "bytes": $size, "ids": $ids, "seconds": $seconds}""")
}
