/** The native half. What people use is written around it. */

import { load } from './loading.js';

/** A call that has not been made yet. It can be made once. */
export interface Call {
  /** Makes it, on threads of its own. The answer is JSON, or documents. */
  make(): Promise<string | Batch>;
  /** Drops the work; the promise is rejected. */
  giveUp(): void;
}

/** Neighbouring documents of one shard: their bytes, and where each part of each document lies in them. */
export interface Batch {
  readonly index: string;
  readonly shard: number;
  /** Ids, routings, parents and sources. */
  readonly data: Buffer;
  /**
   * For each document the begin and the end of its id, its routing, its parent and its source, and the number of its type. What
   * it lacks ends before it begins; the number of a type it lacks is of none.
   */
  readonly places: Uint32Array;
  readonly types: readonly string[];
}

export interface NativeDocumentStream {
  nextBatch(max: number): Call;
  skipped(): string;
  close(): Call;
}

export interface NativeSnapshot {
  info(): Call;
  indices(): Call;
  documents(index?: string, shard?: number): NativeDocumentStream;
}

export interface NativeRepository {
  snapshots(): Call;
  snapshot(name: string): NativeSnapshot;
}

export interface NativeCluster {
  info(): Call;
  health(): Call;
  indices(): Call;
  count(index: string): Call;
  refresh(index: string): Call;
}

export interface NativeEventStream {
  nextBatch(max: number): Call;
  ready(): Call;
}

export interface NativeFailedDocumentStream {
  nextBatch(max: number): Call;
}

export interface NativeGradualScaling {
  next(): Call;
}

export interface NativeBackfill {
  plan(): Call;
  start(): Call;
  scale(workers: number): Call;
  scaleGradually(workers: number, options: string): NativeGradualScaling;
  pause(): Call;
  stop(folder?: string): Call;
  archive(folder?: string): Call;
  restore(file: string): Call;
  reset(folder?: string): Call;
  status(): Call;
  deepStatus(): Call;
  limits(): Call;
  limit(limits: string): Call;
  failedSummary(): Call;
  failedDocuments(filter: string): NativeFailedDocumentStream;
  redrive(filter: string): Call;
  report(): Call;
  wait(): Call;
  interrupt(): Call;
  events(): NativeEventStream;
}

/** A document that a transform made. */
export interface MadeDocument {
  readonly index: string;
  readonly shard: number;
  readonly id: string;
  readonly routing?: string;
  readonly docType?: string;
  readonly parent?: string;
  readonly source: Buffer;
}

/** One batch that is to be transformed. */
export interface TransformCall {
  /** The documents. They can be taken once. */
  batch(): Batch;
  /** For each of them what is written in its place, or why it could not be transformed. */
  answer(answers: readonly (string | readonly MadeDocument[])[]): void;
  /** Why none of them can be, nor any other. */
  fail(reason: string): void;
}

/** Is called with each batch, and answers it some time. */
export type Ask = (call: TransformCall) => void;

/** The native half. */
export interface Native {
  readonly Repository: new (location: string, options: string) => NativeRepository;
  readonly Cluster: new (address: string, options: string) => NativeCluster;
  readonly Backfill: {
    new (options: string, transform?: Ask): NativeBackfill;
    fromConfig(path: string, transform?: Ask): NativeBackfill;
  };
  version(): string;
  /** Tells the function of what is logged, as JSON; it keeps no process alive. */
  logTo(sink: (record: string) => void, filter?: string): void;
  logToNobody(): void;
  /** Runs the command line; `program` with `before` is what begins it as a process of its own. Blocks. */
  runCommandLine(program: string, before: string[], words: string[]): number;
}

export const native: Native = load();
