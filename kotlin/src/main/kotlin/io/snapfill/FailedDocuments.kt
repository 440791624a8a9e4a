package io.snapfill

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.FlowCollector
import kotlinx.coroutines.flow.flow

/** Documents that the target refused, with their bytes and its words, as a [Flow]. Each collection reads them from the beginning. */
public class FailedDocuments internal constructor(private val open: () -> NativeFailedDocumentStream) : Flow<FailedDocument> {
    /**
     * The documents in lists of [size] or fewer.
     *
     * @throws CorruptException A file that holds them is damaged.
     */
    public fun batches(size: UInt = BATCH): Flow<List<FailedDocument>> = flow {
        val stream = open()
        while (true) {
            val batch = asked { stream.nextBatch(size) }
            if (batch.isEmpty()) break
            emit(batch)
        }
    }

    override suspend fun collect(collector: FlowCollector<FailedDocument>) {
        batches().collect { batch -> batch.forEach { collector.emit(it) } }
    }
}

/** The source as text: JSON. */
public val FailedDocument.text: String get() = source.decodeToString()
