import { numberOf } from './arguments.js';
import { type Abortable, ask, now } from './crossing.js';
import type { FailedDocument } from './model.js';
import type { NativeFailedDocumentStream } from './native.js';

/** Failed documents of a batch unless another number is asked for. */
const BATCH = 1000;

/** Documents that the target refused. Iterate over it with `for await`, or over its `batches()`. */
export class FailedDocuments implements AsyncIterable<FailedDocument> {
  readonly #native: NativeFailedDocumentStream;
  readonly #options: Abortable;

  /** @internal */
  constructor(native: NativeFailedDocumentStream, options: Abortable) {
    this.#native = native;
    this.#options = options;
  }

  /** The documents, one by one. */
  async *[Symbol.asyncIterator](): AsyncGenerator<FailedDocument, void, undefined> {
    for await (const batch of this.batches()) {
      yield* batch;
    }
  }

  /**
   * The documents in lists of `size` or fewer.
   *
   * @throws {CorruptError} A file that holds them is damaged.
   */
  async *batches(size: number = BATCH): AsyncGenerator<FailedDocument[], void, undefined> {
    for (;;) {
      const batch = await ask<FailedDocument[]>(now(() => this.#native.nextBatch(numberOf(size, 'size'))), this.#options);
      if (batch.length === 0) {
        return;
      }
      yield batch;
    }
  }
}
