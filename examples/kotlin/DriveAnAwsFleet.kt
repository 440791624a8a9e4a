import io.snapfill.Backfill
import io.snapfill.BackfillOptions
import io.snapfill.EcsFleet
import io.snapfill.GradualOptions
import java.nio.file.Path
import java.time.Duration
import kotlin.io.path.writeText

/**
 * Fills a cluster by the tasks of an Amazon ECS service: more of them as long as the target is well, and none when all is done.
 *
 * Arguments: REPOSITORY SNAPSHOT TARGET CLUSTER SERVICE FAILED_STORE WORKERS INDICES [SETTLE_SECONDS [LEASE_SECONDS [MAX_CPU]]]
 */
suspend fun main(arguments: Array<String>) {
    val (repository, snapshot, target, cluster, service) = arguments
    val (failedStore, workers, indices) = arguments.drop(5)
    val (settle, lease) = listOf(8, 9).map { place -> arguments.getOrNull(place)?.let { Duration.ofSeconds(it.toLong()) } }
    val gradual = GradualOptions(settle = settle, maxCpuPercent = arguments.getOrNull(10)?.toUByte())
    val backfill = Backfill(
        BackfillOptions(
            repository = repository,
            snapshot = snapshot,
            target = target,
            failedStore = failedStore,
            indices = indices.split(','),
            lease = lease,
            ecs = EcsFleet(
                cluster = cluster,
                service = service,
                endpoint = System.getenv("AWS_ENDPOINT_URL_ECS"),
                // A folder of this machine is meant to be one that the tasks mount, too.
                sharedFolders = "://" !in repository,
            ),
        ),
    )
    backfill.scaleGradually(workers.toUInt(), gradual).collect { println(it.line) }
    val end = backfill.wait()
    val report = backfill.report()
    Path.of("report.md").writeText(report.markdown)
    // Nothing is left to be done: the tasks are sent away, and the working state becomes a file.
    val archive = backfill.stop(Path.of("archives"))
    println("$end: ${report.books.written} documents written, ${report.books.failed} failed; archived in $archive")
}
