package io.snapfill

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.FlowCollector
import kotlinx.coroutines.flow.flow

/**
 * The events of a backfill, from the moment on that they were asked for, as a [Flow]. It ends once the workers are gone. Each event
 * is told once: collect it in one place. Who is too slow misses events, and never holds up the run. A collection that is cancelled
 * pauses the workers of this process, as in [Backfill.wait]; one that takes fewer events does not.
 */
public class Events internal constructor(
    private val native: NativeEventStream,
    private val backfill: NativeBackfill,
) : Flow<Event> {
    /** The events in lists of [size] or fewer: what has happened since the last one. */
    public fun batches(size: UInt = BATCH): Flow<List<Event>> = flow {
        backfill.pausing {
            while (true) {
                val batch = asked { native.nextBatch(size) }
                if (batch.isEmpty()) break
                emit(batch)
            }
        }
    }

    /** What has happened since it was last asked, without waiting for more. */
    public suspend fun ready(): List<Event> = asked { native.ready() }

    override suspend fun collect(collector: FlowCollector<Event>) {
        batches().collect { batch -> batch.forEach { collector.emit(it) } }
    }
}
