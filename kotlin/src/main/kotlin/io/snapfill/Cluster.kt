package io.snapfill

/**
 * A search cluster at an `http://` or `https://` address, or the local one in a folder. Nothing is opened before it is asked for
 * something.
 *
 * @property address The address as it was given.
 * @throws ConfigException The address holds credentials, or options do not go together.
 */
public class Cluster(public val address: String, options: ClusterOptions = ClusterOptions()) {
    private val native = asked { NativeCluster(address, options) }

    /**
     * Who it is.
     *
     * @throws UnavailableException It cannot be reached.
     * @throws AuthException It does not let us in.
     * @throws NotFoundException The folder holds none.
     */
    public suspend fun info(): ClusterInfo = asked { native.info() }

    /** How it fares. */
    public suspend fun health(): ClusterHealth = asked { native.health() }

    /** The indices it has, ordered by name. */
    public suspend fun indices(): List<IndexRow> = asked { native.indices() }

    /**
     * How many documents an index shows.
     *
     * @throws NotFoundException There is no such index.
     */
    public suspend fun count(index: String): ULong = asked { native.count(index) }

    /** Makes what was written visible to [count] and searches. */
    public suspend fun refresh(index: String): Unit = asked { native.refresh(index) }

    /** Its address. */
    override fun toString(): String = "Cluster($address)"
}
