package io.snapfill

import java.nio.file.Path
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.isActive
import kotlinx.coroutines.withContext

/**
 * Fills a target with the documents of a snapshot. Every verb may be repeated, and in any order; what is not allowed now throws an
 * [InvalidStateException]. Nothing is opened before it is asked for something. Cancelling a coroutine that waits for a verb ends that
 * call; when it is [wait] or [run], or the collection of [events], it pauses the workers of this process first.
 */
public class Backfill private constructor(private val native: NativeBackfill) {
    /**
     * A backfill by its options.
     *
     * @throws ConfigException Options contradict each other, or a word is not known.
     */
    public constructor(options: BackfillOptions) : this(asked { NativeBackfill(options) })

    /**
     * A backfill of a whole snapshot.
     *
     * @param repository The repository: a path or a URL.
     * @param snapshot The snapshot's name.
     * @param target The target: a folder, or a cluster's address.
     * @param workers Workers that [start] starts; null: 1.
     */
    public constructor(repository: String, snapshot: String, target: String, workers: UInt? = null) :
        this(BackfillOptions(target = target, repository = repository, snapshot = snapshot, workers = workers))

    /**
     * What a run would do. Changes nothing.
     *
     * @throws NotFoundException The selection names what is not there.
     */
    public suspend fun plan(): Plan = asked { native.plan() }

    /**
     * Plans, makes the indices, and brings up as many workers as are configured.
     *
     * @throws InvalidStateException The session is about another run, or was stopped.
     */
    public suspend fun start(): Unit = asked { native.start() }

    /** Sets the number of workers. From 0 it starts the backfill. */
    public suspend fun scale(workers: UInt): Unit = asked { native.scale(workers) }

    /**
     * Sets the number of workers step by step, as long as the target is well. Collecting it makes the steps.
     *
     * @param workers How many there are to be in the end.
     * @throws ConfigException An option makes no sense.
     */
    public fun scaleGradually(workers: UInt, options: GradualOptions = GradualOptions()): GradualScaling =
        GradualScaling(asked { native.scaleGradually(workers, options) })

    /** Sends all workers away and waits until they are gone. What they had done is kept; [start] goes on there. */
    public suspend fun pause(): Unit = asked { native.pause() }

    /**
     * Ends the backfill for good: archives the working state to a file in [folder], reads it back, and only then deletes it.
     *
     * @param folder Where the file goes; null: `$SHARED_LOGS_DIR_PATH/backfill_working_state`, or else
     *   `./backfill_working_state`.
     * @return The file; null when there was no working state.
     * @throws StorageException The file cannot be written; then nothing is deleted.
     */
    public suspend fun stop(folder: Path? = null): Path? = asked { file(native.stop(folder?.toString())) }

    /**
     * The same as [stop], for a backfill whose workers are gone.
     *
     * @throws InvalidStateException Workers are at it.
     */
    public suspend fun archive(folder: Path? = null): Path? = asked { file(native.archive(folder?.toString())) }

    /**
     * Brings a stopped backfill back to where it was. [start] then goes on.
     *
     * @throws NotFoundException There is no such file.
     * @throws CorruptException It is damaged.
     * @throws InvalidStateException It is of another session, target or run, or the session has a working state already.
     */
    public suspend fun restore(file: Path): Unit = asked { native.restore(file.toString()) }

    /** The same as [stop], and then the session may be begun anew. */
    public suspend fun reset(folder: Path? = null): Path? = asked { file(native.reset(folder?.toString())) }

    /** Whether workers are at it. */
    public suspend fun status(): Status = asked { native.status() }

    /** Whether workers are at it, and how far the work is. */
    public suspend fun deepStatus(): DeepStatus = asked { native.deepStatus() }

    /** Ceilings of what each process that works on the run sends. */
    public suspend fun limits(): RateLimits = asked { native.limits() }

    /**
     * Changes both ceilings while it runs: here at once, in other processes that work on the run within some seconds.
     *
     * @throws InvalidStateException Nothing was planned.
     */
    public suspend fun limit(limits: RateLimits): Unit = asked { native.limit(limits) }

    /** How many documents the target refused, and why. Those that were sent again with success do not count. */
    public suspend fun failedSummary(): FailedSummary = asked { native.failedSummary() }

    /** The documents that the target refused. Nothing is read before they are collected. */
    public fun failedDocuments(filter: FailedFilter = FailedFilter()): FailedDocuments =
        FailedDocuments { asked { native.failedDocuments(filter) } }

    /**
     * Sends failed documents again, to the index they were meant for. What is taken is none any more; what is refused again stays.
     * May be repeated.
     */
    public suspend fun redrive(filter: FailedFilter = FailedFilter()): Redriven = asked { native.redrive(filter) }

    /**
     * What was moved so far: of a run that is going on, has ended, or was stopped and archived. Its `markdown` is for people.
     *
     * @throws NotFoundException Nothing was begun under the session.
     */
    public suspend fun report(): Report = asked { native.report() }

    /**
     * Waits for the end of the run: `completed`, `completed_with_errors` or `failed`.
     *
     * When its coroutine is cancelled, it pauses the workers of this process before it ends: they write how far they are, and [start]
     * goes on there. A fleet elsewhere goes on.
     *
     * @throws CancelledException The backfill was paused or stopped.
     */
    public suspend fun wait(): String = native.pausing { asked { native.wait() } }

    /** What happens from now on. Ask for it before [start] to miss nothing. */
    public fun events(): Events = Events(native.events(), native)

    /**
     * Starts, waits for the end, and says how the run ended, as [wait] does.
     *
     * When its coroutine is cancelled, or [onEvent] throws, it pauses the workers of this process before it ends: they write how far
     * they are, and another run goes on there. A fleet elsewhere goes on.
     *
     * @param onEvent Called with every event.
     */
    public suspend fun run(onEvent: (suspend (Event) -> Unit)? = null): String {
        val events = onEvent?.let { events() }
        try {
            start()
            events?.collect { onEvent(it) }
            return wait()
        } catch (interruption: Throwable) {
            withContext(NonCancellable) { native.interrupt() }
            throw interruption
        }
    }

    public companion object {
        /**
         * The backfill of a configuration file: TOML or YAML, or a `services.yaml` of OpenSearch's Migration Assistant. Secrets that
         * it names are read now.
         *
         * @throws ConfigException It cannot be understood, says no target, or a secret is not where it says.
         */
        public fun fromConfig(file: Path): Backfill = Backfill(asked { NativeBackfill.fromConfig(file.toString()) })

        private fun file(place: String?): Path? = place?.let { Path.of(it) }
    }
}

/** Pauses the workers of this process when the coroutine is cancelled within the block. */
internal suspend inline fun <T> NativeBackfill.pausing(call: () -> T): T = try {
    call()
} catch (cancellation: CancellationException) {
    // Who takes fewer events than there are ends a flow by the same exception, and is not cancelled.
    if (!currentCoroutineContext().isActive) withContext(NonCancellable) { interrupt() }
    throw cancellation
}
