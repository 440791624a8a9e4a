package io.snapfill

import java.nio.file.Path

/**
 * A snapshot repository: a folder, or a URL. Nothing is read before it is asked for something.
 *
 * @property location The path or URL as it was given.
 */
public class Repository(public val location: String, options: RepositoryOptions = RepositoryOptions()) {
    private val native = NativeRepository(location, options)

    /** The repository in a folder. */
    public constructor(folder: Path, options: RepositoryOptions = RepositoryOptions()) : this(folder.toString(), options)

    /**
     * Its snapshots, in the order of the catalogue.
     *
     * @throws NotFoundException There is no repository.
     * @throws UnsupportedException Its location or layout is not read.
     * @throws CorruptException Its catalogue cannot be understood.
     */
    public suspend fun snapshots(): List<SnapshotSummary> = asked { native.snapshots() }

    /** The snapshot of that name. Nothing is read before it is asked for something. */
    public fun snapshot(name: String): Snapshot = Snapshot(this, name, native.snapshot(name))

    /** Its location. */
    override fun toString(): String = "Repository($location)"
}

/**
 * One snapshot of a repository.
 *
 * @property repository Its repository.
 * @property name Its name.
 */
public class Snapshot internal constructor(
    public val repository: Repository,
    public val name: String,
    private val native: NativeSnapshot,
) {
    /**
     * What it says of itself.
     *
     * @throws NotFoundException There is no such snapshot; the message has the names there are.
     * @throws IncompleteException It is PARTIAL, and that was not allowed.
     * @throws InvalidStateException It failed, or was not finished.
     */
    public suspend fun info(): SnapshotInfo = asked { native.info() }

    /** Its indices with their settings, mappings and aliases, ordered by name. */
    public suspend fun indices(): List<IndexInfo> = asked { native.indices() }

    /**
     * The documents of all indices or of one, of all their shards or of those with one number, ordered by index and shard.
     * Nothing is read before they are collected.
     */
    public fun documents(index: String? = null, shard: UInt? = null): Documents =
        Documents { native.documents(index, shard) }

    /** Its name. */
    override fun toString(): String = "Snapshot($name)"
}
