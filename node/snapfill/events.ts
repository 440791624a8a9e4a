/**
 * What happens during a run, as it happens: `event` says what.
 *
 * @module
 */

import { numberOf } from './arguments.js';
import { type Abortable, ask, inCamelCase, now } from './crossing.js';
import { AbortError } from './errors.js';
import type { Books } from './model.js';
import type { NativeBackfill, NativeEventStream } from './native.js';

/** The plan is in the working state; this much is to be done. */
export interface Planned {
  /** Which event it is. */
  readonly event: 'planned';
  /** Shards. */
  readonly shards: number;
  /** Documents that are not deleted. */
  readonly documents: number;
  /** Stored bytes, compressed. */
  readonly bytes: number;
}

/** What is to be known of an index before its documents are written. */
export interface Warning {
  /** Which event it is. */
  readonly event: 'warning';
  /** The index. */
  readonly index: string;
  /** What is to be known. */
  readonly warning: string;
}

/** The fleet was told to be of another size. */
export interface FleetChanged {
  /** Which event it is. */
  readonly event: 'fleetChanged';
  /** Workers that are wanted. */
  readonly desired: number;
  /** What its platform says. */
  readonly line: string;
}

/** The working state is in a file, and is about to be deleted. */
export interface Archived {
  /** Which event it is. */
  readonly event: 'archived';
  /** The file. */
  readonly file: string;
}

/** A worker took an item. */
export interface ItemStarted {
  /** Which event it is. */
  readonly event: 'itemStarted';
  /** Its index. */
  readonly index: string;
  /** Its shard. */
  readonly shard: number;
  /** Who took it. */
  readonly worker: string;
}

/** A bulk is settled. */
export interface Progress {
  /** Which event it is. */
  readonly event: 'progress';
  /** Its index. */
  readonly index: string;
  /** Its shard. */
  readonly shard: number;
  /** Documents settled by it. */
  readonly documents: number;
  /** Source bytes written by it. */
  readonly bytes: number;
}

/** The target refused a document for good. */
export interface DocumentFailed {
  /** Which event it is. */
  readonly event: 'documentFailed';
  /** Its index. */
  readonly index: string;
  /** Its shard. */
  readonly shard: number;
  /** Its id. */
  readonly id: string;
  /** Why. */
  readonly reason: string;
}

/** An item is done and its books balance. */
export interface ItemCompleted {
  /** Which event it is. */
  readonly event: 'itemCompleted';
  /** Its index. */
  readonly index: string;
  /** Its shard. */
  readonly shard: number;
  /** Live documents it has. */
  readonly live: number;
  /** What became of them. */
  readonly books: Books;
}

/** Work on an item failed; it is tried again or, past the limit, given up. */
export interface ItemFailed {
  /** Which event it is. */
  readonly event: 'itemFailed';
  /** Its index. */
  readonly index: string;
  /** Its shard. */
  readonly shard: number;
  /** Why. */
  readonly reason: string;
}

/** Something else that is to be known, such as a change of pace. */
export interface Other {
  /** Which event it is. */
  readonly event: 'other';
  /**
   * Its name: `concurrency_changed`, `sending_paused`, `sending_resumed`, `rate_limit_changed`, `rate_limited`, `archiving`,
   * `waiting_for_workers`, `lease_lost`, or one of a later release.
   */
  readonly name: string;
  /** Its fields. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A worker is gone. */
export interface WorkerEnded {
  /** Which event it is. */
  readonly event: 'workerEnded';
  /** Which one. */
  readonly worker: string;
  /** Why, when it was an error. */
  readonly error: string | null;
}

/** Any of them. */
export type Event =
  | Planned
  | Warning
  | FleetChanged
  | Archived
  | ItemStarted
  | Progress
  | DocumentFailed
  | ItemCompleted
  | ItemFailed
  | Other
  | WorkerEnded;

/** Events of a batch unless another number is asked for. */
const BATCH = 1000;

/** The events of a backfill from the moment on that it was asked for. It ends once the workers are gone. */
export class Events implements AsyncIterable<Event> {
  readonly #native: NativeEventStream;
  readonly #backfill: NativeBackfill;
  readonly #options: Abortable;
  /** What came and was not given out yet. */
  #begun: Event[] = [];

  /** @internal */
  constructor(native: NativeEventStream, backfill: NativeBackfill, options: Abortable = {}) {
    this.#native = native;
    this.#backfill = backfill;
    this.#options = options;
  }

  /** The events, one by one. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Event, void, undefined> {
    for (;;) {
      if (this.#begun.length === 0) {
        this.#begun = await this.#next(BATCH);
      }
      const event = this.#begun.shift();
      if (event === undefined) {
        return;
      }
      yield event;
    }
  }

  /** The events in lists of `size` or fewer: what has happened since the last one. */
  async *batches(size: number = BATCH): AsyncGenerator<Event[], void, undefined> {
    for (;;) {
      const batch = this.#begun.length > 0 ? this.#begun.splice(0, size) : await this.#next(size);
      if (batch.length === 0) {
        return;
      }
      yield batch;
    }
  }

  /** What has happened since it was last asked, without waiting for more. */
  async ready(): Promise<Event[]> {
    const begun = this.#begun.splice(0);
    return [...begun, ...renamed(await ask<Event[]>(this.#native.ready(), this.#options))];
  }

  async #next(size: number): Promise<Event[]> {
    const next = now(() => this.#native.nextBatch(numberOf(size, 'size')));
    return renamed(await pausing(this.#backfill, () => ask<Event[]>(next, this.#options)));
  }
}

/** Pauses the workers of this process when a signal ended the call. */
export async function pausing<T>(backfill: NativeBackfill, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof AbortError) {
      await ask(backfill.interrupt());
    }
    throw error;
  }
}

/** The events with names as JavaScript has them. */
function renamed(events: Event[]): Event[] {
  return events.map((event) => ({ ...event, event: inCamelCase(event.event) }) as Event);
}
