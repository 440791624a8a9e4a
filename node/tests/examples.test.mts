/** The examples, run as their users run them. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { REPOSITORY, ROOT, folderOf } from './fixtures.mjs';

function example(name: string, ...words: string[]): string {
  const script = join(ROOT, 'node/dist/examples', `${name}.mjs`);
  const ran = spawnSync(process.execPath, [script, ...words], { encoding: 'utf8' });
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
