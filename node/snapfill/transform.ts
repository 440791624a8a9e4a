/** Functions that change documents on their way. */

import { Document, documents } from './documents.js';
import type { Ask, MadeDocument, TransformCall } from './native.js';

/**
 * What becomes of a document: it or another one, several, or none, which leaves it out. An `Error` makes it a failed document, and
 * the run goes on.
 */
export type Transformed = Document | readonly Document[] | Error | null | undefined;

/**
 * Changes documents of one shard on their way: gives what becomes of each, in their order.
 *
 * It must give the same ids for the same document whenever it is asked: after a crash, what was not acknowledged is read and
 * transformed again. Each document it gives has an id of its own, the index of the one it is made of, and a JSON object as source.
 * When it throws, the run ends; another run goes on there.
 */
export type Transform = (
  documents: Document[],
) => readonly Transformed[] | Promise<readonly Transformed[]>;

/** A transform as the native half calls it; what it throws is told. */
export function asking(transform: Transform | undefined, threw: (error: unknown) => void): Ask | undefined {
  if (transform === undefined || transform === null) {
    return undefined;
  }
  if (typeof transform !== 'function') {
    throw new TypeError(`transform: expected a function, not ${typeof transform}`);
  }
  return (call) => void answer(call, transform, threw);
}

async function answer(call: TransformCall, transform: Transform, threw: (error: unknown) => void): Promise<void> {
  try {
    const made: unknown = await transform(documents(call.batch()));
    if (!Array.isArray(made)) {
      throw new TypeError(`a transform returns a list with what becomes of each document, not ${kindOf(made)}`);
    }
    call.answer(made.map(answerOf));
  } catch (error) {
    threw(error);
    call.fail(`the transform failed: ${String(error)}`);
  }
}

function answerOf(made: unknown): string | readonly MadeDocument[] {
  if (made instanceof Error) {
    return String(made);
  }
  const all: readonly unknown[] = Array.isArray(made) ? made : made === null || made === undefined ? [] : [made];
  const wrong = all.find((one) => !(one instanceof Document));
  if (wrong !== undefined || all.includes(undefined)) {
    return `TypeError: a transform gives a Document, a list of them, an Error, or null for each document, not ${kindOf(wrong)}`;
  }
  return (all as readonly Document[]).map(crossing);
}

function crossing({ index, shard, id, routing, type, parent, source }: Document): MadeDocument {
  return {
    index,
    shard,
    id,
    ...(routing === null ? {} : { routing }),
    ...(type === null ? {} : { docType: type }),
    ...(parent === null ? {} : { parent }),
    source,
  };
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value === 'object' ? (value.constructor?.name ?? 'object') : typeof value;
}
