/** The event loop goes on turning, whatever snapfill does. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { test } from 'node:test';

import { Backfill, Repository } from 'snapfill';
import { REPOSITORY, ROOT, folderOf, shapes, slow } from './fixtures.mjs';

/** Runs some work, and counts how often the loop turned meanwhile. */
async function turns(work: () => Promise<unknown>): Promise<{ count: number; longest: number }> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let count = 0;
  let isOver = false;
  const turn = () => {
    count += 1;
    if (!isOver) {
      setImmediate(turn);
    }
  };
  delay.enable();
  setImmediate(turn);
  await work().finally(() => {
    isOver = true;
    delay.disable();
  });
  return { count, longest: delay.max / 1e6 };
}

test('it turns while documents are read and a backfill runs', async (context) => {
  const backfill = new Backfill({ ...shapes(folderOf(context)), maxDocsPerSecond: 500, bulkDocuments: 50 });
  let documents = 0;
  const read = async () => {
    for await (const batch of new Repository(REPOSITORY).snapshot('snap-2').documents().batches(10)) {
      documents += batch.length;
    }
  };
  const { count, longest } = await turns(() => Promise.all([backfill.run(), read()]));
  assert.equal(documents, 879);
  assert.ok(count > 100, `${count} turns`);
  // A call that blocked would hold it for as long as the backfill takes; on a machine that is busy a turn may be late.
  context.diagnostic(`${count} turns, the longest delay ${longest.toFixed(1)} ms`);
});

test('it turns while a call waits for what does not come', async (context) => {
  const backfill = new Backfill(slow(folderOf(context)));
  await backfill.start();
  const waiting = assert.rejects(backfill.wait(), { code: 'CANCELLED' });
  const { count } = await turns(async () => {
    for (let timer = 0; timer < 20; timer += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  });
  assert.ok(count >= 20, `${count} turns`);
  await Promise.all([backfill.pause(), waiting]);
});

test('a process that ends while workers are at it ends as it says', (context) => {
  const options = JSON.stringify(slow(folderOf(context)));
  const script = `
    const { Backfill } = require('snapfill');
    const backfill = new Backfill(${options});
    backfill.on('progress', () => process.exit(7));
    backfill.start();
  `;
  const ended = spawnSync(process.execPath, ['-e', script], { cwd: `${ROOT}/node`, encoding: 'utf8' });
  assert.deepEqual([ended.status, ended.signal, ended.stderr], [7, null, '']);
});

test('a process that only looks comes to its end', (context) => {
  const script = `
    const { Backfill } = require('snapfill');
    const backfill = new Backfill({ target: ${JSON.stringify(folderOf(context))}, repository: ${JSON.stringify(REPOSITORY)}, snapshot: 'snap-2' });
    backfill.on('progress', () => {});
    backfill.status().then(({ state }) => console.log(state));
  `;
  const ended = spawnSync(process.execPath, ['-e', script], { cwd: `${ROOT}/node`, encoding: 'utf8', timeout: 60_000 });
  assert.deepEqual([ended.status, ended.stdout, ended.stderr], [0, 'NOT_STARTED\n', '']);
});
