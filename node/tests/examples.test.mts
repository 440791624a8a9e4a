/** The examples, run as their users run them. */

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { REPOSITORY, ROOT, folderOf } from './fixtures.mjs';

const scriptOf = (name: string): string => join(ROOT, 'node/dist/examples', `${name}.mjs`);

function example(name: string, ...words: string[]): string {
  const ran = spawnSync(process.execPath, [scriptOf(name), ...words], { encoding: 'utf8' });
  assert.equal(ran.status, 0, ran.stderr);
  return ran.stdout;
}

test('a folder is filled', (context) => {
  const target = join(folderOf(context), 'filled');
  const said = example('fill-a-folder', REPOSITORY, 'snap-2', target, 'shapes').trimEnd().split('\n');
  assert.equal(said.at(0), 'will fill: shapes');
  assert.deepEqual(said.slice(1, -1).sort(), ['shapes[0] is done', 'shapes[1] is done']);
  assert.equal(said.at(-1), 'completed: 348 documents written, 0 failed');
});

test('an index is exported', (context) => {
  const file = join(folderOf(context), 'routed.ndjson');
  assert.equal(example('export-to-ndjson', REPOSITORY, 'snap-2', 'routed', file), '54 documents\n');
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const said = lines.map((line) => JSON.parse(line) as { index?: { _index?: string; routing?: string } });
  assert.equal(said.length, 108);
  const actions = said.filter((_, number) => number % 2 === 0);
  assert.ok(actions.every(({ index }) => index?._index === 'routed'));
  assert.ok(actions.some(({ index }) => index?.routing !== undefined));
});

test('an index is streamed to a service, with fields left out', async (context) => {
  let received = '';
  const service = createServer(async (request, answer) => {
    received = await text(request);
    answer.end();
  });
  context.after(() => service.close());
  await once(service.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/documents`;
  const words = [scriptOf('stream-to-a-service'), REPOSITORY, 'snap-2', 'shapes', url, 'title'];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  assert.equal(stdout, '347 documents, and the service said 200\n', 'one document is empty');
  const lines = received.trimEnd().split('\n');
  const sent = lines.map((line) => JSON.parse(line) as { id: string; document: { n?: number; title?: string } });
  assert.equal(new Set(sent.map(({ id }) => id)).size, 347);
  assert.ok(sent.some(({ document }) => document.n === 1) && sent.every(({ document }) => document.title === undefined));
});
