/** How options go to the native half, and how answers come back. */

import { AbortError, told } from './errors.js';
import type { Batch, Call } from './native.js';

/** What may end a call. */
export interface Abortable {
  /** Ends the call: its promise is rejected with an `AbortError`, and its work is dropped. */
  readonly signal?: AbortSignal | undefined;
}

/** Runs a function of the native half that answers at once. */
export function now<T>(ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    throw told(error);
  }
}

/** Makes a call, unless the signal is aborted, and until it is. */
export async function make(call: Call, { signal }: Abortable = {}): Promise<string | Batch> {
  if (signal?.aborted) {
    throw new AbortError(signal.reason);
  }
  const giveUp = () => call.giveUp();
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    return await call.make();
  } catch (error) {
    throw told(error, signal);
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}

/** Makes a call that answers with data. */
export async function ask<T>(call: Call, options?: Abortable): Promise<T> {
  return read<T>((await make(call, options)) as string);
}

/** Options as the native half takes them. */
export function write(options: object): string {
  return JSON.stringify(options, (name: string, value: unknown) => {
    const isLost =
      typeof value === 'function' || typeof value === 'symbol' || (typeof value === 'number' && !Number.isFinite(value));
    if (isLost) {
      throw new TypeError(`${name}: expected text, a number or a list, not ${String(value)}`);
    }
    return value;
  });
}

/** Fields that are JSON in a text of their own. */
const TEXTS = new Set(['aliases', 'definition', 'fields', 'mappings', 'settings']);

/** Fields whose names within are no names of ours. */
const COUNTS = new Set(['reasons', 'skipped']);

/** Fields that are bytes, in base64. */
const BYTES = new Set(['source']);

/** Data of the native half, with names as JavaScript has them. */
export function read<T>(text: string): T {
  return renamed(JSON.parse(text)) as T;
}

function renamed(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(renamed);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const fields = Object.entries(value).map(([name, inner]: [string, unknown]) => {
    return [inCamelCase(name), field(name, inner)];
  });
  return Object.fromEntries(fields);
}

function field(name: string, value: unknown): unknown {
  if (typeof value === 'string') {
    return TEXTS.has(name) ? JSON.parse(value) : BYTES.has(name) ? Buffer.from(value, 'base64') : value;
  }
  return COUNTS.has(name) ? value : renamed(value);
}

/** `item_started` as `itemStarted`. */
export function inCamelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
