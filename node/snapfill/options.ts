/**
 * What people may ask for. What is left out has its usual value. Durations are milliseconds.
 *
 * @module
 */

import type { Cluster } from './cluster.js';
import type { FailureClass } from './model.js';
import type { Repository, Snapshot } from './repository.js';
import type { Transform } from './transform.js';

/** How a repository is read, where the bytes alone do not tell. */
export interface RepositoryOptions {
  /** The folder of the repository below its location: the `base_path` it was registered with. */
  readonly basePath?: string | undefined;
  /** Reads PARTIAL snapshots too. The shards that they lack are reported as skipped. */
  readonly allowPartial?: boolean | undefined;
  /** The location of the remote store's segment repository, for shallow snapshots of OpenSearch. */
  readonly remoteStore?: string | undefined;
  /** The folder of the remote store below its location. */
  readonly remoteStoreBasePath?: string | undefined;
  /** Takes the original source that Elasticsearch keeps for replication, where an index stores none or a filtered one. */
  readonly recoverySource?: boolean | undefined;
  /** Refuses documents of more bytes; left out: 256 MiB. */
  readonly maxDocumentBytes?: number | undefined;
}

/** How requests to AWS are signed. Keys come from where AWS's own tools take them. */
export interface AwsOptions {
  /** `es` for Amazon OpenSearch Service, `aoss` for Serverless. */
  readonly service: 'es' | 'aoss';
  /** The region; left out: that of the address, the environment or the profile. */
  readonly region?: string | undefined;
  /** Takes the keys of this profile. */
  readonly profile?: string | undefined;
  /** The ARN of a role to assume. */
  readonly role?: string | undefined;
  /** The external id that the role asks for. */
  readonly externalId?: string | undefined;
  /** The name under which the role's session shows in logs; left out: `snapfill`. */
  readonly roleSession?: string | undefined;
  /** The domain's name, for CloudWatch, where the address does not hold it. */
  readonly domain?: string | undefined;
  /** The id of the account that owns the domain, where it is not the one of the keys. */
  readonly account?: string | undefined;
  /** The collection's id, where the address does not hold it. */
  readonly collection?: string | undefined;
}

/** How to speak with a cluster. None of it is for a target that is a folder. */
export interface ClusterOptions {
  /** Further addresses of the same cluster. */
  readonly endpoints?: readonly string[] | undefined;
  /** The user's name, for basic authentication. */
  readonly user?: string | undefined;
  /** The user's password. */
  readonly password?: string | undefined;
  /** An API key: `id:key`, or both encoded together. */
  readonly apiKey?: string | undefined;
  /** A bearer token. */
  readonly token?: string | undefined;
  /** A PEM file of certificate authorities to believe in place of the system's. */
  readonly caFile?: string | undefined;
  /** The certificate to show: a PEM file. */
  readonly clientCertificate?: string | undefined;
  /** Its private key: a PEM file. */
  readonly clientKey?: string | undefined;
  /** Believe anybody. */
  readonly allowInsecure?: boolean | undefined;
  /** Whether request bodies are compressed: `auto` (unless the cluster is on this machine), `gzip` or `off`. */
  readonly compression?: 'auto' | 'gzip' | 'off' | undefined;
  /** How many milliseconds a request may take; left out: a minute. */
  readonly timeout?: number | undefined;
  /** Types of exceptions that are no failure of a document. */
  readonly allowedExceptions?: readonly string[] | undefined;
  /** Whether documents get ids from the server: `auto`, `always` or `never`. */
  readonly serverIds?: 'auto' | 'always' | 'never' | undefined;
  /** Put behind `snapfill/<version>` in the user agent. */
  readonly userAgentExtra?: string | undefined;
  /** Signs requests for AWS. */
  readonly aws?: AwsOptions | undefined;
}

/** A service of Amazon ECS whose tasks are the workers. Keys come from where AWS's own tools take them. */
export interface EcsFleet {
  /** The cluster, by name or ARN. */
  readonly cluster: string;
  /** The service, by name or ARN. */
  readonly service: string;
  /** The region, in place of the one that the environment, the profile or the instance names. */
  readonly region?: string | undefined;
  /** The URL at which ECS is asked, in place of the region's public address. */
  readonly endpoint?: string | undefined;
  /** Takes the keys of this profile. */
  readonly profile?: string | undefined;
  /** The ARN of a role to assume. */
  readonly role?: string | undefined;
  /** The external id that the role asks for. */
  readonly externalId?: string | undefined;
  /** The tasks mount a repository's folder, and that of failed documents, at the same paths as this machine. */
  readonly sharedFolders?: boolean | undefined;
}

/** A Kubernetes deployment whose pods are the workers. */
export interface KubernetesFleet {
  /** The deployment. */
  readonly deployment: string;
  /** Its namespace; left out: that of the context or of the service account. */
  readonly namespace?: string | undefined;
  /** A kubeconfig file; left out: the usual one, and within a cluster its service account. */
  readonly kubeconfig?: string | undefined;
  /** The context of the kubeconfig; left out: its current one. */
  readonly context?: string | undefined;
  /** The pods mount a repository's folder, and that of failed documents, at the same paths as this machine. */
  readonly sharedFolders?: boolean | undefined;
}

/**
 * How a fleet is made larger step by step. What is left out has its usual value. A figure that the target does not tell decides
 * nothing.
 */
export interface GradualOptions {
  /** Workers that one step adds; left out: as many as there are, and once a size was too large, one at a time. */
  readonly step?: number | undefined;
  /** How many milliseconds the target must have been well since the last step; left out: a minute. */
  readonly settle?: number | undefined;
  /**
   * Processor in use on the busiest node, in percent, up to which workers are added; left out: 80. Halfway from there to 100 they
   * are taken away.
   */
  readonly maxCpuPercent?: number | undefined;
  /** The same for the heap of the node that uses most; left out: 85. */
  readonly maxHeapPercent?: number | undefined;
  /** The same for the write queue of the node where it is fullest; left out: 50. */
  readonly maxQueuePercent?: number | undefined;
  /**
   * Bulk requests that wait, for each node that holds data, up to which workers are added where the target does not tell how full
   * its queue is; left out: 100. At five times as many they are taken away.
   */
  readonly maxQueueRequests?: number | undefined;
  /**
   * Bytes free on the fullest node below which no workers are added, where the target does not tell its watermarks; left out:
   * 10 GiB. Below half of it they are taken away.
   */
  readonly minFreeDiskBytes?: number | undefined;
  /** The worst colour with which workers are added; left out: `green`. */
  readonly worstStatus?: 'green' | 'yellow' | 'red' | undefined;
}

/** Which failed documents are meant. Left out: all of them. */
export interface FailedFilter {
  /** Those of these indices, by their name in the snapshot or in the target. */
  readonly indices?: string | readonly string[] | undefined;
  /** Those of these classes. */
  readonly classes?: FailureClass | readonly FailureClass[] | undefined;
}

/** What a backfill is to do: which documents go where, and by how many workers. What is left out has its usual value. */
export interface BackfillOptions {
  /** The target: a folder, a cluster's address, or a `Cluster` with its options. */
  readonly target: string | URL | Cluster;
  /**
   * The repository: a path, a URL, or a `Repository` with its options. Left out together with the snapshot: the run that is in
   * the working state already.
   */
  readonly repository?: string | URL | Repository | undefined;
  /** The snapshot's name. */
  readonly snapshot?: string | Snapshot | undefined;
  /**
   * Where the working state of a run into a cluster is: another cluster, or `local` for a file of this machine. Left out: in the
   * target.
   */
  readonly coordinator?: string | URL | Cluster | undefined;
  /**
   * A folder for what this machine keeps of a run into a cluster. Left out: one for each address, under
   * `$XDG_STATE_HOME/snapfill` or `~/.local/state/snapfill`.
   */
  readonly state?: string | undefined;
  /** Where the workers are: a service of Amazon ECS, or a Kubernetes deployment. Left out: in this process. */
  readonly fleet?: EcsFleet | KubernetesFleet | undefined;
  /** The session's name: sessions of one target are apart from each other. */
  readonly session?: string | undefined;
  /** Indices to migrate: names, globs, or `regex:` and an expression. Left out: all but system indices. */
  readonly indices?: string | readonly string[] | undefined;
  /** Patterns of indices to leave out of these. */
  readonly exclude?: string | readonly string[] | undefined;
  /** Documents of each shard at most, for a trial. */
  readonly maxDocsPerShard?: number | undefined;
  /** Stored bytes of a shard that one work item holds; a larger shard is shared by several workers. */
  readonly splitBytes?: number | undefined;
  /** New names of indices by their old ones. */
  readonly rename?: Readonly<Record<string, string>> | undefined;
  /** Regular expressions for whole names, and what takes their place. */
  readonly renamePatterns?: Readonly<Record<string, string>> | ReadonlyArray<readonly [pattern: string, replacement: string]> | undefined;
  /** Put before every name that is not in `rename`. */
  readonly renamePrefix?: string | undefined;
  /** What becomes of indices with several mapping types: `refuse`, `split` or `merge`. */
  readonly types?: 'refuse' | 'split' | 'merge' | undefined;
  /** Whether indices that the target lacks are made: `missing` or `never`. */
  readonly createIndices?: 'missing' | 'never' | undefined;
  /** What becomes of fields whose type the target lacks: `refuse`, `drop` or `keep`. */
  readonly unknownFields?: 'refuse' | 'drop' | 'keep' | undefined;
  /** Replicas of the indices that are made. */
  readonly replicas?: number | undefined;
  /** No refresh while the target is filled. */
  readonly disableRefresh?: boolean | undefined;
  /** Replicas are made when the run is done. */
  readonly deferReplicas?: boolean | undefined;
  /** What becomes of an id that is in the target already: `index` (it is replaced) or `create` (it is left alone). */
  readonly operation?: 'index' | 'create' | undefined;
  /** Workers that `start` starts; left out: 1. */
  readonly workers?: number | undefined;
  /** How many milliseconds a worker holds an item without renewing its lease; left out: a minute. */
  readonly lease?: number | undefined;
  /** How many documents of an index may fail before the backfill pauses; left out: 10 000, or 1 % if that is more. */
  readonly maxFailed?: number | undefined;
  /** Where failed documents are kept: a folder or a URL. Left out: the folder `failed` beside the working state. */
  readonly failedStore?: string | undefined;
  /** Begins a session anew that was stopped: every document is written again. */
  readonly fromScratch?: boolean | undefined;
  /** Changes the documents on their way; only for workers in this process. */
  readonly transform?: Transform | undefined;
  /** Bytes of one bulk request; left out: 10 MiB. */
  readonly bulkBytes?: number | undefined;
  /** Documents of one bulk request; left out: 10 000. */
  readonly bulkDocuments?: number | undefined;
  /** Bulk requests of one worker that may be out at a time, at most; left out: 4. */
  readonly bulksInFlight?: number | undefined;
  /** A ceiling of the documents that this process sends a second. */
  readonly maxDocsPerSecond?: number | undefined;
  /** A ceiling of the bytes of documents that this process sends a second. */
  readonly maxBytesPerSecond?: number | undefined;
}
