/**
 * snapfill fills a search cluster with the documents of an Elasticsearch or OpenSearch snapshot.
 *
 * @packageDocumentation
 */

import { native } from './native.js';

export { type ArchiveOptions, Backfill, type BackfillEvents, type ConfigOptions, type RunOptions, type StatusOptions } from './backfill.js';
export { Cluster } from './cluster.js';
export type { Abortable } from './crossing.js';
export { Document, type DocumentChanges, type DocumentParts, Documents } from './documents.js';
export {
  AbortError,
  AuthError,
  CancelledError,
  ConfigError,
  ConflictError,
  CorruptError,
  IncompleteError,
  InvalidStateError,
  LeaseLostError,
  NotFoundError,
  RateLimitedError,
  SnapfillError,
  StorageError,
  UnavailableError,
  UnexpectedError,
  UnsupportedError,
  type ErrorCode,
  type ErrorDetails,
} from './errors.js';
export { Events } from './events.js';
export { FailedDocuments } from './failed.js';
export { GradualScaling } from './gradual.js';
export { type Logger, type LoggerOptions, setLogger } from './logs.js';
export type * from './events.js';
export type * from './model.js';
export type * from './options.js';
export { type DocumentsOptions, Repository, Snapshot } from './repository.js';
export type { Transform, Transformed } from './transform.js';

/** The version of snapfill. */
export const version: string = native.version();
