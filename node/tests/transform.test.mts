/** Documents that are changed on their way. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  AbortError,
  Backfill,
  CancelledError,
  Cluster,
  ConfigError,
  Document,
  type Event,
  InvalidStateError,
  Repository,
  type Transform,
  type Transformed,
} from 'snapfill';
import { REPOSITORY, ROOT, folderOf, shapes } from './fixtures.mjs';

/** A number from 0 to 3 for each id. */
const kindOf = ({ id }: Document): number => [...Buffer.from(id)].reduce((sum, byte) => sum + byte, 0) % 4;

/** By its kind: none, one that is changed, two, a failure. */
function change(document: Document): Transformed {
  switch (kindOf(document)) {
    case 0:
      return null;
    case 1:
      return document.replace({ source: JSON.stringify({ ...document.json<object>(), seen: document.id }, null, 1) });
    case 2:
      return [document, document.replace({ id: `${document.id}-copy`, source: Buffer.from('{}') })];
    default:
      return new RangeError(`not ${document.id}`);
  }
}

async function all(): Promise<Document[]> {
  const documents: Document[] = [];
  for await (const document of new Repository(REPOSITORY).snapshot('snap-2').documents({ index: 'shapes' })) {
    documents.push(document);
  }
  return documents;
}

function reasons(told: readonly Event[]): Map<string, string> {
  return new Map(told.flatMap((event) => (event.event === 'documentFailed' ? [[event.id, event.reason]] : [])));
}

test('documents are dropped, changed, split and refused by an asynchronous function', async (context) => {
  const folder = folderOf(context);
  const read = await all();
  const count = (kind: number): number => read.filter((document) => kindOf(document) === kind).length;
  assert.ok([0, 1, 2, 3].every((kind) => count(kind) > 0));
  const told: Event[] = [];
  const transform: Transform = async (documents) => {
    await sleep(1);
    return documents.map(change);
  };
  const backfill = new Backfill({ ...shapes(folder), workers: 2, transform });
  assert.equal(await backfill.run({ onEvent: (event) => told.push(event) }), 'completed_with_errors');
  const { books } = (await backfill.status({ deep: true })).work;
  assert.deepEqual(books.skipped, { filtered: count(0) });
  assert.deepEqual([books.failed, books.added], [count(3), count(2)]);
  assert.equal(books.written, count(1) + 2 * count(2));
  assert.equal(await new Cluster(folder).count('shapes'), books.written);
  const refused = read.filter((document) => kindOf(document) === 3);
  assert.deepEqual(reasons(told), new Map(refused.map(({ id }) => [id, `transform: RangeError: not ${id}`])));
});

test('what it gives must be documents of the same index with ids of their own', async (context) => {
  const folder = folderOf(context);
  const wrong = (document: Document, place: number): unknown =>
    [
      { a: 1 },
      [document, document],
      new Document({ index: 'elsewhere', id: document.id, source: '{}' }),
      document.replace({ source: '[]' }),
      [document, 'x'],
      [undefined],
    ][place % 6];
  const transform = ((documents) => documents.map(wrong)) as Transform;
  const told: Event[] = [];
  const backfill = new Backfill({ ...shapes(folder), transform });
  assert.equal(await backfill.run({ onEvent: (event) => told.push(event) }), 'completed_with_errors');
  const text = [...reasons(told).values()].join('\n');
  const parts = ['not Object', 'two documents of the id', 'of the index `elsewhere`', 'is not a JSON object', 'not string', 'not undefined'];
  assert.deepEqual(parts.filter((part) => !text.includes(part)), []);
  assert.equal(await new Cluster(folder).count('shapes'), 0);
});

test('what it throws ends the run and is its cause, and another run goes on', async (context) => {
  const folder = folderOf(context);
  const thrown = new Error('the other service is down');
  const failing = new Backfill({ ...shapes(folder), transform: () => Promise.reject(thrown) });
  const error: unknown = await failing.run().catch((error: unknown) => error);
  assert.ok(error instanceof CancelledError && error.cause === thrown, String(error));
  assert.match(error.message, /the transform failed: Error: the other service is down/);
  const lists = [() => 'none', () => []] as unknown as Transform[];
  for (const transform of lists) {
    await assert.rejects(new Backfill({ ...shapes(folder), transform }).run(), /returns a list|gave 0 answers/);
  }
  assert.equal(await new Backfill({ ...shapes(folder), transform: (documents) => documents }).run(), 'completed');
  assert.equal(await new Cluster(folder).count('shapes'), (await all()).length);
  await assert.rejects(new Backfill(shapes(folder)).start(), InvalidStateError);
});

test('only a function, and only for workers of this process', () => {
  const wrong = { ...shapes('folder'), transform: 'lower' as unknown as Transform };
  assert.throws(() => new Backfill(wrong), { name: 'TypeError', message: 'transform: expected a function, not string' });
  const elsewhere = { ...shapes('https://cluster'), repository: 's3://b/r', fleet: { deployment: 'workers' } };
  assert.throws(() => new Backfill({ ...elsewhere, transform: (documents) => documents }), ConfigError);
});

test('a signal ends a run whose transform never answers', async (context) => {
  const folder = folderOf(context);
  const abort = new AbortController();
  const transform: Transform = () => {
    abort.abort();
    return new Promise(() => undefined);
  };
  await assert.rejects(new Backfill({ ...shapes(folder), transform }).run({ signal: abort.signal }), AbortError);
  assert.equal(await new Cluster(folder).count('shapes'), 0, 'it did not wait for it');
  assert.equal(await new Backfill({ ...shapes(folder), transform: (documents) => documents }).run(), 'completed');
});

test('a document is replaced in part', () => {
  const document = new Document({ index: 'logs', id: '1', source: '{}', routing: 'r', type: 't', parent: 'p' });
  const { index, id, routing, type, parent, source } = document.replace({ id: '2', routing: null, source: new Uint8Array([123, 125]) });
  assert.deepEqual([index, id, routing, type, parent, source.toString()], ['logs', '2', null, 't', 'p', '{}']);
  assert.throws(() => document.replace({ source: 1 as unknown as string }), /source: expected a Buffer/);
});

test('the page on transforms does what it says', async (context) => {
  const folder = folderOf(context);
  const page = readFileSync(join(ROOT, 'docs/transform.md'), 'utf8');
  const code = page.split('```js\n')[1]?.split('```')[0] ?? '';
  const text = code
    .replace(/^import .*$/m, '')
    .replace("'/backups'", JSON.stringify(REPOSITORY))
    .replace("'nightly'", "'snap-2'")
    .replace("'./filled'", `${JSON.stringify(folder)}, indices: 'shapes'`);
  const said: unknown[] = [];
  const run = new Function('Backfill', 'console', `return (async () => {${text}})()`) as (...names: unknown[]) => Promise<void>;
  await run(Backfill, { log: (word: unknown) => said.push(word) });
  assert.equal(said[0], 'completed');
});
