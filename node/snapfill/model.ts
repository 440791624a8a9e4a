/**
 * What snapfill tells, as plain data. Times are milliseconds since the epoch, as `Date` takes them.
 *
 * @module
 */

/** How a run ended. */
export type RunEnd = 'completed' | 'completed_with_errors' | 'failed';

/** What kind of failure it was, and so what may help. */
export type FailureClass = 'mapping' | 'too_large' | 'version' | 'transform' | 'other';

/** How a fleet stands. */
export type FleetState = 'NOT_STARTED' | 'STARTING' | 'RUNNING' | 'TERMINATING' | 'STOPPED' | 'FAILED';

/** One snapshot as the repository's catalogue lists it. */
export interface SnapshotSummary {
  /** Its name. */
  readonly name: string;
  /** Its uuid. */
  readonly uuid: string;
  /** `SUCCESS`, `PARTIAL`, `FAILED`, `IN_PROGRESS` or `INCOMPATIBLE`; `null` where the catalogue does not say. */
  readonly state: string | null;
  /** The version that made it, as the catalogue has it. */
  readonly version: string | null;
  /** How many indices it holds. */
  readonly indices: number;
}

/** A shard that the snapshot does not hold. */
export interface MissingShard {
  /** Its index. */
  readonly index: string;
  /** Its number. */
  readonly shard: number;
  /** Why, in the server's words. */
  readonly reason: string | null;
}

/** What a snapshot says of itself. */
export interface SnapshotInfo {
  /** Its name. */
  readonly name: string;
  /** Its uuid: two snapshots of one name made at different times differ in it. */
  readonly uuid: string;
  /** `SUCCESS` or `PARTIAL`: others cannot be read. */
  readonly state: string;
  /** The version that made it. */
  readonly version: string;
  /** The names of its indices, sorted. */
  readonly indices: readonly string[];
  /** When it began, milliseconds since the epoch. */
  readonly startedMs: number;
  /** When it ended, milliseconds since the epoch. */
  readonly endedMs: number;
  /** Shards it was asked to hold. */
  readonly totalShards: number;
  /** Shards it holds. */
  readonly successfulShards: number;
  /** Shards it does not hold. */
  readonly missing: readonly MissingShard[];
}

/** What an index was when the snapshot was taken. */
export interface IndexInfo {
  /** Its name. */
  readonly name: string;
  /** Its uuid in the source cluster. */
  readonly uuid: string;
  /** How many shards it has. */
  readonly shards: number;
  /** How many replicas each shard had. */
  readonly replicas: number;
  /** The version that created it. */
  readonly createdBy: string;
  /** Its settings, flat: `{"index.number_of_shards": "2"}`. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Its mappings. */
  readonly mappings: Readonly<Record<string, unknown>>;
  /** Its aliases by name. */
  readonly aliases: Readonly<Record<string, unknown>>;
}

/** How much there is in a shard. */
export interface PlannedShard {
  /** Documents that are not deleted, nested children among them. */
  readonly documents: number;
  /** Deleted documents that are still there. */
  readonly deleted: number;
  /** Bytes of the stored fields, compressed. */
  readonly storedBytes: number;
  /** Bytes of all files of the shard. */
  readonly totalBytes: number;
  /** Segments. */
  readonly segments: number;
}

/** What a run would do with one index. */
export interface PlannedIndex {
  /** Its name. */
  readonly name: string;
  /** `migrate`; `skip`: it was not asked for; `refuse`: it was, and cannot be, so that no run begins. */
  readonly decision: 'migrate' | 'skip' | 'refuse';
  /** Why it is skipped or refused. */
  readonly reason: string | null;
  /** The indices of the target that its documents go to. */
  readonly targets: readonly string[];
  /** Its shards; empty for an index that is skipped. */
  readonly shards: readonly PlannedShard[];
  /** The numbers of shards that the snapshot does not hold. */
  readonly missing: readonly number[];
  /** What its reader should know before the run. */
  readonly warnings: readonly string[];
}

/** What happens to one index or data stream of the target. */
export interface PlannedTarget {
  /** Its name. */
  readonly name: string;
  /** The indices of the snapshot that go there; `index/type` for one type of an index. */
  readonly sources: readonly string[];
  /** Whether it is there already; it is then kept as it is. */
  readonly exists: boolean;
  /** Whether it is a data stream. */
  readonly isDataStream: boolean;
  /** What it is made with of settings, mappings and aliases; `null` where it is there. */
  readonly definition: Readonly<Record<string, unknown>> | null;
  /** What of the snapshot's definition does not go along, and why. */
  readonly leftOut: readonly string[];
  /** What its reader should know before the run. */
  readonly warnings: readonly string[];
}

/** What a run would do. Nothing of it is done yet. */
export interface Plan {
  /** The location of the repository. */
  readonly repository: string;
  /** The snapshot's name. */
  readonly snapshot: string;
  /** The snapshot's uuid. */
  readonly snapshotUuid: string;
  /** The version that made it. */
  readonly version: string;
  /** Every index of the snapshot, sorted by name. */
  readonly indices: readonly PlannedIndex[];
  /** The indices of the target that are filled, sorted by name. */
  readonly targets: readonly PlannedTarget[];
}

/** A step of a gradual scaling, or the reason why there is none for now. */
export interface GradualStep {
  /** What becomes of the number of workers; `done` when the scaling is over. */
  readonly action: 'up' | 'hold' | 'down' | 'done';
  /** How many there are to be now. */
  readonly workers: number;
  /** Why. */
  readonly reason: string;
  /** All of it in one line for people. */
  readonly line: string;
}

/** How many workers there are. */
export interface FleetCounts {
  /** Up. */
  readonly running: number;
  /** On their way. */
  readonly pending: number;
  /** Wanted. */
  readonly desired: number;
  /** Going away. */
  readonly terminating: number;
}

/** The short status. */
export interface Status {
  /** `NOT_STARTED`, `STARTING`, `RUNNING`, `TERMINATING`, `STOPPED` or `FAILED`. It follows the fleet, not the work. */
  readonly state: FleetState;
  /** The fleet. */
  readonly fleet: FleetCounts;
}

/** How many are in which state. */
export interface Counts {
  /** All. */
  readonly total: number;
  /** Done. */
  readonly completed: number;
  /** Not done: in progress, waiting or given up. */
  readonly incomplete: number;
  /** Held by a worker. */
  readonly inProgress: number;
  /** Waiting for a worker. */
  readonly unclaimed: number;
  /** Given up after repeated failures. */
  readonly failed: number;
}

/** What became of documents that were read. `live = written + failed + skipped - added`. */
export interface Books {
  /** Acknowledged by the target. */
  readonly written: number;
  /** Refused by the target for good. */
  readonly failed: number;
  /** Not sent, by reason; `shard_missing` counts shards. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Nested children: part of their root document's source, no documents of their own. */
  readonly nested: number;
  /** Of the written: already there and left alone. */
  readonly present: number;
  /** Of the written: replaced another document. */
  readonly overwritten: number;
  /** Source bytes of the written documents. */
  readonly bytes: number;
  /** Of the written and the failed: more than one for each that was read, made by a transform. */
  readonly added: number;
}

/** How fast the workers came forward in the last minute; each a second. */
export interface Rate {
  /** Documents that were settled. */
  readonly documents: number;
  /** Bytes of their sources. */
  readonly bytes: number;
  /** Bytes of stored fields that were done. */
  readonly stored: number;
}

/** The work on one index. */
export interface IndexWork {
  /** Its name. */
  readonly index: string;
  /** Its shards by state. */
  readonly shards: Counts;
  /** Document numbers done, dead ones included. */
  readonly documentsDone: number;
  /** Document numbers in all, dead ones included. */
  readonly documentsTotal: number;
  /** Stored bytes done, compressed. */
  readonly bytesDone: number;
  /** Stored bytes in all, compressed. */
  readonly bytesTotal: number;
  /** Live documents of its completed items. */
  readonly live: number;
  /** What became of its documents. */
  readonly books: Books;
}

/** An item that was given up. */
export interface FailedWork {
  /** Its index. */
  readonly index: string;
  /** Its shard. */
  readonly shard: number;
  /** Why. */
  readonly reason: string;
  /** Who had it last. */
  readonly worker: string | null;
  /** How often it was tried in vain. */
  readonly attempts: number;
}

/** The work of a session, summed up. */
export interface Work {
  /** Shards by state. */
  readonly shards: Counts;
  /** Work items by state. */
  readonly items: Counts;
  /** Stored bytes done, compressed. */
  readonly bytesDone: number;
  /** Stored bytes in all, compressed. */
  readonly bytesTotal: number;
  /** Document numbers done, dead ones included. */
  readonly documentsDone: number;
  /** Document numbers in all, dead ones included. */
  readonly documentsTotal: number;
  /** What became of the documents. */
  readonly books: Books;
  /** How fast the workers were in the last minute. */
  readonly rate: Rate;
  /** Seconds until all is done at this rate; `null` while that cannot be told, or nothing is left. */
  readonly etaSeconds: number | null;
  /** By index, sorted by name. */
  readonly indices: readonly IndexWork[];
  /** Items that were given up. */
  readonly failed: readonly FailedWork[];
  /** When the first item was taken, milliseconds since the epoch. */
  readonly startedMs: number | null;
  /** When the last item was done, milliseconds since the epoch. */
  readonly finishedMs: number | null;
}

/** Ceilings of what one worker process sends; `null` is no ceiling. */
export interface RateLimits {
  /** Documents a second. */
  readonly documentsPerSecond: number | null;
  /** Bytes of documents a second. */
  readonly bytesPerSecond: number | null;
}

/** How fast a worker sends. */
export interface WorkerSending {
  /** Its name. */
  readonly worker: string;
  /** Bulks that are out. */
  readonly inFlight: number;
  /** Bulks that may be out at a time now. */
  readonly limit: number;
}

/** How fast documents are sent, and whether they are sent at all. */
export interface Sending {
  /** Why nothing is sent now, if so. */
  readonly paused: string | null;
  /** Ceilings of each worker process. */
  readonly limits: RateLimits;
  /** The workers of this process. */
  readonly workers: readonly WorkerSending[];
}

/** The deep status: the fleet and the work. */
export interface DeepStatus {
  /** As in the short status. */
  readonly state: FleetState;
  /** The fleet. */
  readonly fleet: FleetCounts;
  /** Whether planning is done; until then the counts are incomplete. */
  readonly planned: boolean;
  /** The work. */
  readonly work: Work;
  /** `completed`, `completed_with_errors` or `failed`, once the run has ended. */
  readonly end: RunEnd | null;
  /** How fast documents are sent. */
  readonly sending: Sending;
}

/** Who a cluster is. */
export interface ClusterInfo {
  /** `Elasticsearch`, `OpenSearch` or `local directory`. */
  readonly distribution: string;
  /** Its version, as it says. */
  readonly version: string;
  /** The name it was given. */
  readonly name: string;
  /** Its identity. */
  readonly uuid: string;
  /** Whether it is a serverless offering. */
  readonly serverless: boolean;
}

/** How a cluster fares. A figure the cluster does not give is absent. */
export interface ClusterHealth {
  /** `green`, `yellow` or `red`. */
  readonly status: string;
  /** Nodes that hold data. */
  readonly dataNodes: number | null;
  /** Bulk requests that wait, all nodes together. */
  readonly writeQueue: number | null;
  /** Bulk requests refused since the nodes started, all nodes together. */
  readonly writeRejections: number | null;
  /** Heap in use on the node that uses most, in percent. */
  readonly heapPercent: number | null;
  /** Processor in use on the busiest node, in percent. */
  readonly cpuPercent: number | null;
  /** Disk in use on the fullest node, in percent. */
  readonly diskPercent: number | null;
  /** Bytes free on the node that has the fewest. */
  readonly freeDiskBytes: number | null;
  /** Whether the cluster refuses writes, for want of disk or memory. */
  readonly writesBlocked: boolean | null;
}

/** One index of a cluster. */
export interface IndexRow {
  /** Its name. */
  readonly index: string;
  /** `green`, `yellow` or `red`. */
  readonly health: string | null;
  /** `open` or `close`. */
  readonly status: string | null;
  /** Its identity. */
  readonly uuid: string | null;
  /** Primary shards. */
  readonly primaries: number | null;
  /** Copies of each shard beside the primary. */
  readonly replicas: number | null;
  /** Documents, nested ones included. */
  readonly documents: number | null;
  /** Documents that are deleted and still take space. */
  readonly deleted: number | null;
  /** Size of all copies, for people: `1.2mb`. */
  readonly storeSize: string | null;
  /** Size of the primaries, for people. */
  readonly primaryStoreSize: string | null;
}

/** Something that was logged. */
export interface LogRecord {
  /** How grave it is. */
  readonly level: LogLevel;
  /** Which part of snapfill says it: `snapfill::backfill`. */
  readonly target: string;
  /** What it says. */
  readonly message: string;
  /** What it says it of, by name. */
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

/** How grave a record is. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug' | 'trace';

/** Failures of one kind. */
export interface FailureGroup {
  /** The index that was to receive them. */
  readonly index: string;
  /** What kind of failure it was. */
  readonly failureClass: FailureClass;
  /** The target's word for it. */
  readonly errorType: string;
  /** How many. */
  readonly documents: number;
  /** The ids of the first of them. */
  readonly exampleIds: readonly string[];
  /** The target's explanation for the first one. */
  readonly exampleReason: string;
  /** What may help. */
  readonly remedy: string;
}

/** How many documents the target refused and still refuses, and why. */
export interface FailedSummary {
  /** All of them. */
  readonly total: number;
  /** By index, class and the target's word; the most frequent first. */
  readonly groups: readonly FailureGroup[];
}

/** A document that the target refused for good. */
export interface FailedDocument {
  /** The index that was to receive it. */
  readonly index: string;
  /** `_id`. */
  readonly id: string;
  /** `_routing`, where it has its own. */
  readonly routing: string | null;
  /** What was to be done with an id that is there already. */
  readonly operation: 'index' | 'create';
  /** What kind of failure it was. */
  readonly failureClass: FailureClass;
  /** The HTTP status of the item. */
  readonly status: number;
  /** The target's word for it. */
  readonly errorType: string;
  /** The target's explanation. */
  readonly reason: string;
  /** The index of the snapshot. */
  readonly sourceIndex: string;
  /** The shard of that index. */
  readonly shard: number;
  /** The document's number in the shard. */
  readonly number: number;
  /** The document, as it was sent. */
  readonly source: Buffer;
}

/** What became of failed documents that were sent again. */
export interface Redriven {
  /** Taken now. */
  readonly written: number;
  /** Refused again, or left alone because a transform failed on them. */
  readonly failed: number;
  /** The target's words for those, and how many of each. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** What is to be known of an index before its documents are written. */
export interface PlanWarning {
  /** The index, of the snapshot or of the target. */
  readonly index: string;
  /** What is to be known. */
  readonly warning: string;
}

/** One index of the snapshot. */
export interface ReportedIndex {
  /** Its name in the snapshot. */
  readonly index: string;
  /** The indices of the target that its documents went to. */
  readonly targets: readonly string[];
  /** Its shards by state. */
  readonly shards: Counts;
  /** Live documents of its work items that are done. */
  readonly live: number;
  /** What became of them. */
  readonly books: Books;
  /** Whether `live` = written + failed + skipped; `null` while some shard is not done. */
  readonly balanced: boolean | null;
}

/** One index of the target. */
export interface ReportedTarget {
  /** Its name. */
  readonly index: string;
  /** Its documents before the run, where that is known. */
  readonly before: number | null;
  /** Its documents now. */
  readonly documents: number | null;
  /** Why they could not be counted. */
  readonly error: string | null;
}

/** Indices of the target, against the books of the indices that went there. */
export interface TargetCheck {
  /** The indices of the target. */
  readonly targets: readonly ReportedTarget[];
  /** The indices of the snapshot that went there. */
  readonly sources: readonly string[];
  /** Refused documents that were sent again with success. */
  readonly redriven: number;
  /** Documents that should be there; `null` where that cannot be told (yet). */
  readonly expected: number | null;
  /** Documents that are there. */
  readonly documents: number | null;
  /** How many more there are than expected. */
  readonly difference: number | null;
  /** What to think of it. */
  readonly explanation: string;
}

/** What a backfill has moved, at any time, also after a stop. Holds no secret. */
export interface Report {
  /** The release that made it. */
  readonly version: string;
  /** When it was made, milliseconds since the epoch. */
  readonly madeMs: number;
  /** The session's name, empty for the usual one. */
  readonly session: string;
  /** The snapshot that was read. */
  readonly snapshot: string;
  /** Its uuid. */
  readonly snapshotUuid: string;
  /** The URL of its repository. */
  readonly repository: string;
  /** The address of the target. */
  readonly target: string;
  /** Whether workers are at it, as in the status. */
  readonly state: FleetState;
  /** How the run ended, once it has. */
  readonly end: RunEnd | null;
  /** The archive that it is made from, where the backfill was stopped. */
  readonly archive: string | null;
  /** When it was planned, milliseconds since the epoch. */
  readonly begunMs: number;
  /** When the last work item was done, milliseconds since the epoch, once all are. */
  readonly endedMs: number | null;
  /** Shards by state. */
  readonly shards: Counts;
  /** Live documents of the work items that are done. */
  readonly live: number;
  /** What became of the documents, all indices together. */
  readonly books: Books;
  /** Whether `live` = written + failed + skipped; `null` while some shard is not done. */
  readonly balanced: boolean | null;
  /** Documents written a second, from the first work item to the last, pauses included; `null` before the end. */
  readonly documentsPerSecond: number | null;
  /** Bytes of their sources. */
  readonly bytesPerSecond: number | null;
  /** The indices of the snapshot that were moved, by name. */
  readonly indices: readonly ReportedIndex[];
  /**
   * What the target holds. An index stands in one of them; several stand in the same where they share indices of the target.
   */
  readonly targets: readonly TargetCheck[];
  /** The documents that the target refused and that were not sent again with success; `null` where they cannot be read. */
  readonly failures: FailedSummary | null;
  /** Work items that were given up, at most a thousand. */
  readonly givenUp: readonly FailedWork[];
  /** What was to be known before the run. */
  readonly warnings: readonly PlanWarning[];
  /** How it was done. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** What this report could not find out, and why. */
  readonly notes: readonly string[];
  /** All of it for people, as Markdown. */
  readonly markdown: string;
}
