package io.snapfill

import com.sun.jna.Native

/**
 * What snapfill logs, for the whole process. Nobody is told unless it is asked for. Whoever is told is so on a thread that does nothing
 * else, and may take as long as it likes: when 10 000 records wait, more are lost, and it is said how many.
 *
 * A filter says from which level on, for each part: `debug`, or `snapfill=debug,hyper=warn`. Without one it is what the environment's
 * `SNAPFILL_LOG` says, or else `snapfill=info`.
 */
public object Logs {
    /**
     * Tells [sink] of what is logged from now on, in place of the one before. What it throws goes to the handler of exceptions that
     * nobody catches.
     *
     * @throws ConfigException The filter cannot be understood.
     */
    public fun to(filter: String? = null, sink: (LogRecord) -> Unit): Unit = asked { nativeLogTo(Sink(sink), filter) }

    /**
     * Passes what is logged on to [System.Logger], and so to whatever the process logs with: `java.util.logging`, SLF4J, Log4j. A
     * logger has the name of the part that speaks, such as `snapfill.backfill`; levels are its own.
     *
     * @throws ConfigException The filter cannot be understood.
     */
    public fun toSystemLogger(filter: String? = null): Unit = to(filter) { record ->
        val logger = System.getLogger(record.target.replace("::", "."))
        // Said by a supplier: a message with braces in it is no pattern.
        logger.log(record.systemLevel) { if (record.fields == "{}") record.message else "${record.message} ${record.fields}" }
    }

    /** Tells nobody any more. */
    public fun toNobody(): Unit = nativeLogToNobody()
}

private val LogRecord.systemLevel: System.Logger.Level
    get() = when (level) {
        "error" -> System.Logger.Level.ERROR
        "warn" -> System.Logger.Level.WARNING
        "info" -> System.Logger.Level.INFO
        "debug" -> System.Logger.Level.DEBUG
        else -> System.Logger.Level.TRACE
    }

private class Sink(private val sink: (LogRecord) -> Unit) : LogSink {
    override fun log(record: LogRecord) {
        // The thread calls again and again: it stays one of the JVM's until it ends.
        Native.detach(false)
        try {
            sink(record)
        } catch (error: Exception) {
            val thread = Thread.currentThread()
            thread.uncaughtExceptionHandler.uncaughtException(thread, error)
        }
    }
}
