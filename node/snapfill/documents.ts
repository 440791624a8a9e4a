import { numberOf } from './arguments.js';
import { type Abortable, ask, make, now } from './crossing.js';
import type { Batch, NativeDocumentStream } from './native.js';

/** Documents of a batch unless another number is asked for. */
const BATCH = 1000;

/** Numbers that tell where one document lies. */
const PLACES = 9;

/** What a document is made of. */
export interface DocumentParts {
  /** The index it is of. */
  readonly index: string;
  /** The number of its shard within the index. */
  readonly shard?: number;
  /** `_id`. */
  readonly id: string;
  /** `_routing`, where it has its own. */
  readonly routing?: string | null;
  /** `_type`. */
  readonly type?: string | null;
  /** `_parent`. */
  readonly parent?: string | null;
  /** `_source`: its bytes, or its text. */
  readonly source: Uint8Array | string;
}

/** What `replace()` changes of a document: not its index, shard and type. */
export type DocumentChanges = Partial<Pick<DocumentParts, 'id' | 'routing' | 'parent' | 'source'>>;

/** One document of a snapshot. */
export class Document {
  /** The index it is of. */
  readonly index: string;
  /** The number of its shard within the index. */
  readonly shard: number;
  /** `_id`, exact. */
  readonly id: string;
  /** `_routing`, where it has its own. */
  readonly routing: string | null;
  /** `_type`, where the source's version had types. */
  readonly type: string | null;
  /** `_parent`, for children of Elasticsearch 5 and before. */
  readonly parent: string | null;
  /**
   * `_source`, byte for byte, save that a raw newline is a space. It is a part of the buffer that its whole batch was read into:
   * who keeps it keeps that; `Buffer.from(source)` is a copy of it alone.
   */
  readonly source: Buffer;

  /** A document of its parts. */
  constructor({ index, shard = 0, id, routing = null, type = null, parent = null, source }: DocumentParts) {
    this.index = index;
    this.shard = shard;
    this.id = id;
    this.routing = routing;
    this.type = type;
    this.parent = parent;
    this.source = bytesOf(source);
  }

  /** The same document with other parts. */
  replace(changes: DocumentChanges): Document {
    return new Document({ ...this, ...changes, index: this.index, shard: this.shard, type: this.type });
  }

  /** The source, parsed. */
  json<T = unknown>(): T {
    return JSON.parse(this.source.toString()) as T;
  }
}

function bytesOf(source: Uint8Array | string): Buffer {
  if (typeof source === 'string') {
    return Buffer.from(source);
  }
  if (!(source instanceof Uint8Array)) {
    throw new TypeError(`source: expected a Buffer, a Uint8Array or text, not ${typeof source}`);
  }
  return Buffer.isBuffer(source) ? source : Buffer.from(source.buffer, source.byteOffset, source.byteLength);
}

/** The documents of a batch; their sources lie where they were read. */
export function documents({ index, shard, data, places, types }: Batch): Document[] {
  const text = (at: number): string | null => {
    const [start = 0, end = 0] = [places[at], places[at + 1]];
    return start > end ? null : data.toString('utf8', start, end);
  };
  const found: Document[] = [];
  for (let at = 0; at < places.length; at += PLACES) {
    found.push(
      new Document({
        index,
        shard,
        id: text(at) ?? '',
        routing: text(at + 2),
        parent: text(at + 4),
        source: data.subarray(places[at + 6], places[at + 7]),
        type: types[places[at + 8] ?? types.length] ?? null,
      }),
    );
  }
  return found;
}

/**
 * Documents of a snapshot, ordered by index and shard. Iterate over it with `for await`, or over its `batches()`; leaving the
 * loop closes it.
 */
export class Documents implements AsyncIterable<Document> {
  readonly #native: NativeDocumentStream;
  readonly #options: Abortable;

  /** @internal */
  constructor(native: NativeDocumentStream, options: Abortable) {
    this.#native = native;
    this.#options = options;
  }

  /** The documents, one by one. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Document, void, undefined> {
    for await (const batch of this.batches()) {
      yield* batch;
    }
  }

  /**
   * The documents in lists of `size` or fewer.
   *
   * @throws {NotFoundError} There is no such repository, snapshot, index or shard.
   * @throws {CorruptError} Bytes are not what they should be; the context says in which file.
   * @throws {UnsupportedError} A format that is not read.
   * @throws {AbortError} The signal was aborted.
   */
  async *batches(size: number = BATCH): AsyncGenerator<Document[], void, undefined> {
    try {
      for (;;) {
        const batch = await make(now(() => this.#native.nextBatch(numberOf(size, 'size'))), this.#options);
        if (typeof batch === 'string') {
          return;
        }
        yield documents(batch);
      }
    } finally {
      await this.close();
    }
  }

  /** Live documents that had no source to give, by reason, of those read so far; `shard_missing` counts shards. */
  get skipped(): Record<string, number> {
    return JSON.parse(now(() => this.#native.skipped())) as Record<string, number>;
  }

  /** Stops reading and lets go of everything. */
  async close(): Promise<void> {
    await ask(this.#native.close());
  }
}
