package io.snapfill

import java.time.Duration

/**
 * Anything that goes wrong in snapfill. Its message says what happened, to what, where, and what to do; its class what kind of
 * trouble it is.
 */
public sealed class SnapfillException(
    /** The kind as one word, stable across releases: `NOT_FOUND`, `LEASE_LOST`, … */
    public val code: String,
    error: ErrorContext,
    cause: Throwable,
) : Exception(error.text, cause) {
    /** Whether the same call may succeed if made again later. */
    public val retryable: Boolean = error.retryable

    /** How long the other side asks us to wait before the next try, where it says. */
    public val retryAfter: Duration? = error.retryAfter

    /** Where it happened, by name: `file`, `shard`, `repository`, and so on. */
    public val context: Map<String, String> = error.places
}

/** The settings are wrong or contradict each other: mend them. */
public class ConfigException internal constructor(error: ErrorContext, cause: Throwable) :
    SnapfillException("CONFIG", error, cause)

/** The other side does not know us or does not let us: check the credentials. */
public class AuthException internal constructor(error: ErrorContext, cause: Throwable) :
    SnapfillException("AUTH", error, cause)

/** What was named is not there: a repository, a snapshot, an index, a document. */
public class NotFoundException internal constructor(error: ErrorContext, cause: Throwable) :
    SnapfillException("NOT_FOUND", error, cause)

/** The other side cannot be reached or is not ready: try again later. */
public class UnavailableException internal constructor(error: ErrorContext, cause: Throwable) :
    SnapfillException("UNAVAILABLE", error, cause)

/** The other side asks us to slow down. */
public class RateLimitedException internal constructor(error: ErrorContext, cause: Throwable) :
    SnapfillException("RATE_LIMITED", error, cause)

/** Somebody else changed it first: read it again. */
public class ConflictException internal constructor(error: ErrorContext, cause: Throwable) :
    SnapfillException("CONFLICT", error, cause)

/** The lease ran out or went to another worker. */
public class LeaseLostException internal constructor(error: ErrorContext, cause: Throwable) :
    SnapfillException("LEASE_LOST", error, cause)

/** Bytes are not what their format says. */
public class CorruptException internal constructor(error: ErrorContext, cause: Throwable) :
    SnapfillException("CORRUPT", error, cause)

/** A format, version or feature that this build does not read. */
public class UnsupportedException internal constructor(error: ErrorContext, cause: Throwable) :
    SnapfillException("UNSUPPORTED", error, cause)

/** The books do not balance, or a snapshot lacks shards. */
public class IncompleteException internal constructor(error: ErrorContext, cause: Throwable) :
    SnapfillException("INCOMPLETE", error, cause)

/** Not allowed in the present state, for example a start after a stop. */
public class InvalidStateException internal constructor(error: ErrorContext, cause: Throwable) :
    SnapfillException("STATE", error, cause)

/** The backfill was paused or stopped. */
public class CancelledException internal constructor(error: ErrorContext, cause: Throwable) :
    SnapfillException("CANCELLED", error, cause)

/** The operating system refused a read or a write: a full disk, a missing right. */
public class StorageException internal constructor(error: ErrorContext, cause: Throwable) :
    SnapfillException("IO", error, cause)

/** A defect of snapfill. Please report it. */
public class UnexpectedException internal constructor(error: ErrorContext, cause: Throwable) :
    SnapfillException("UNEXPECTED", error, cause)

/** Makes a call of the native half; what it fails with is an exception of its kind. */
internal inline fun <T> asked(call: () -> T): T = try {
    call()
} catch (error: NativeException) {
    throw error.ofKind()
}

@PublishedApi
internal fun NativeException.ofKind(): SnapfillException = when (this) {
    is NativeException.Config -> ConfigException(v1, this)
    is NativeException.Auth -> AuthException(v1, this)
    is NativeException.NotFound -> NotFoundException(v1, this)
    is NativeException.Unavailable -> UnavailableException(v1, this)
    is NativeException.RateLimited -> RateLimitedException(v1, this)
    is NativeException.Conflict -> ConflictException(v1, this)
    is NativeException.LeaseLost -> LeaseLostException(v1, this)
    is NativeException.Corrupt -> CorruptException(v1, this)
    is NativeException.Unsupported -> UnsupportedException(v1, this)
    is NativeException.Incomplete -> IncompleteException(v1, this)
    is NativeException.State -> InvalidStateException(v1, this)
    is NativeException.Cancelled -> CancelledException(v1, this)
    is NativeException.Io -> StorageException(v1, this)
    is NativeException.Unexpected -> UnexpectedException(v1, this)
}
