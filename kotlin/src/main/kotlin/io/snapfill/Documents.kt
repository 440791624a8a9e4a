package io.snapfill

import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.FlowCollector
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.withContext

/** Documents or events of a batch unless another number is asked for. */
internal const val BATCH: UInt = 1000u

/**
 * The documents of a snapshot as a [Flow]. Each collection reads them from the beginning; cancelling it, or taking fewer, stops the
 * reading and lets go of everything.
 */
public class Documents internal constructor(private val open: () -> NativeDocumentStream) : Flow<Document> {
    @Volatile
    private var latest: NativeDocumentStream? = null

    /**
     * Live documents that had no source to give, by reason, of those that the latest collection has read so far; `shard_missing`
     * counts shards.
     */
    public val skipped: Map<String, ULong> get() = latest?.skipped().orEmpty()

    /**
     * The documents in lists of [size] or fewer.
     *
     * @throws NotFoundException There is no such repository, snapshot, index or shard.
     * @throws CorruptException Bytes are not what they should be; the context says in which file.
     * @throws UnsupportedException A format that is not read.
     */
    public fun batches(size: UInt = BATCH): Flow<List<Document>> = flow {
        val stream = open()
        latest = stream
        try {
            while (true) {
                val batch = asked { stream.nextBatch(size) } ?: break
                emit(batch.use { it.documents() })
            }
        } finally {
            withContext(NonCancellable) { asked { stream.shutdown() } }
        }
    }

    override suspend fun collect(collector: FlowCollector<Document>) {
        batches().collect { batch -> batch.forEach { collector.emit(it) } }
    }
}

/** The source as text: JSON. */
public val Document.text: String get() = source.decodeToString()
