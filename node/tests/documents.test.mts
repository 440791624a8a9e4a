/** Reading documents. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { AbortError, Document, NotFoundError, Repository } from 'snapfill';
import { REPOSITORY } from './fixtures.mjs';

const snapshot = new Repository(REPOSITORY).snapshot('snap-2');

async function idsOf(documents: AsyncIterable<Document>): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of documents) {
    ids.push(id);
  }
  return ids;
}

test('documents come with all that they have', async () => {
  let routed = 0;
  for await (const document of snapshot.documents({ index: 'routed' })) {
    assert.ok(document instanceof Document);
    assert.equal(document.index, 'routed');
    assert.ok(Buffer.isBuffer(document.source));
    assert.deepEqual(document.json(), JSON.parse(document.source.toString()));
    assert.notEqual(document.id, '');
    assert.equal(document.type, null);
    routed += document.routing === null ? 0 : 1;
  }
  assert.ok(routed > 0);
});

test('a type is told where there was one, and a parent', async () => {
  const old = new Repository(REPOSITORY.replace('opensearch-3.8.0', 'elasticsearch-5.6.16'));
  const types = new Set<string | null>();
  let children = 0;
  for await (const { type, parent } of old.snapshot('snap-2').documents()) {
    types.add(type);
    children += parent === null ? 0 : 1;
  }
  assert.ok(types.size > 1 && !types.has(null), [...types].join());
  assert.ok(children > 0);
});

test('the sources of a batch lie in one buffer, where they were read', async () => {
  for await (const batch of snapshot.documents({ index: 'shapes' }).batches()) {
    const buffers = new Set(batch.map(({ source }) => source.buffer));
    assert.equal(buffers.size, 1);
  }
});

test('batches are as large as asked for and give the same documents', async () => {
  const expected = await idsOf(snapshot.documents({ index: 'shapes' }));
  const documents = snapshot.documents({ index: 'shapes' });
  const found: string[] = [];
  for await (const batch of documents.batches(7)) {
    assert.ok(batch.length >= 1 && batch.length <= 7);
    found.push(...batch.map(({ id }) => id));
  }
  assert.deepEqual(found, expected);
  assert.deepEqual(documents.skipped, {});
});

test('leaving the loop closes the stream', async () => {
  const documents = snapshot.documents();
  for await (const document of documents) {
    assert.ok(document.id);
    break;
  }
  assert.deepEqual(await idsOf(documents), []);
  const batches = snapshot.documents();
  for await (const batch of batches.batches(1)) {
    assert.equal(batch.length, 1);
    break;
  }
  assert.deepEqual(await idsOf(batches), []);
});

test('nothing is read before it is asked for', async () => {
  const documents = new Repository('/no/such/folder').snapshot('nightly').documents();
  await assert.rejects(idsOf(documents), (error) => error instanceof NotFoundError && /no\/such\/folder/.test(error.message));
});

test('an aborted signal ends the reading with an AbortError that tells the reason', async () => {
  const stop = new AbortController();
  const documents = snapshot.documents({ signal: stop.signal });
  const reason = new Error('enough');
  const read = async () => {
    for await (const batch of documents.batches(3)) {
      assert.ok(batch.length > 0);
      stop.abort(reason);
    }
  };
  await assert.rejects(read, (error) => error instanceof AbortError && error.cause === reason && error.code === 'ABORT_ERR');
  await assert.rejects(snapshot.info({ signal: AbortSignal.abort() }), { name: 'AbortError' });
});

test('a snapshot says what it is', async () => {
  const opened = new Repository(pathToFileURL(REPOSITORY));
  assert.deepEqual((await opened.snapshots()).map(({ name }) => name), ['snap-1', 'snap-2']);
  const info = await opened.snapshot('snap-2').info();
  assert.ok(info.state === 'SUCCESS' && info.indices.includes('shapes') && info.startedMs <= info.endedMs);
  const shapes = (await opened.snapshot('snap-2').indices()).find(({ name }) => name === 'shapes');
  assert.ok(shapes);
  assert.equal(shapes.settings['index.number_of_shards'], String(shapes.shards));
  assert.ok('properties' in shapes.mappings);
});

test('a document is made of its parts', () => {
  const document = new Document({ index: 'books', id: '1', source: Buffer.from('{"a": 1}'), routing: 'r' });
  assert.deepEqual([document.index, document.id, document.routing, document.shard], ['books', '1', 'r', 0]);
  assert.deepEqual(document.json(), { a: 1 });
});
