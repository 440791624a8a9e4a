/** Starts backfills and aborts them, over and over, and says what this process has in use, and how long each abort took. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { Backfill, Repository } from '../../node/dist/index.mjs';

const [repository, words] = process.argv.slice(2);
const cycles = Number(words);
const every = Math.max(Math.floor(cycles / 10), 1);
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

/** Milliseconds from the abort to the rejection. */
async function byAborting(target) {
  // More than a minute unless it is interrupted.
  const backfill = new Backfill({
    repository,
    snapshot: 'snap-2',
    target,
    indices: 'shapes',
    maxDocsPerSecond: 5,
    bulkDocuments: 5,
    bulksInFlight: 1,
  });
  const told = backfill.events();
  await backfill.start();
  for await (const { event } of told) {
    if (event === 'progress') {
      break;
    }
  }
  const stop = new AbortController();
  const waiting = assert.rejects(backfill.wait({ signal: stop.signal }), { name: 'AbortError' });
  await sleep(10);
  const began = performance.now();
  stop.abort();
  await waiting;
  const took = performance.now() - began;
  assert.equal((await backfill.status()).fleet.running, 0);
  return took;
}

/** What is in use once all is quiet. */
async function tell(done) {
  collectGarbage();
  await sleep(1500);
  const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'));
  const [threads, files] = ['task', 'fd'].map((what) => readdirSync(`/proc/self/${what}`).length);
  console.log(JSON.stringify({ cycles: done, kib: Number(kib), threads, files }));
}

const took = [];
for (let cycle = 1; cycle <= cycles; cycle += 1) {
  const folder = mkdtempSync(join(tmpdir(), 'snapfill-cycles-'));
  took.push((await byAborting(folder)) / 1000);
  rmSync(folder, { recursive: true });
  for await (const { id } of new Repository(repository).snapshot('snap-2').documents()) {
    assert.notEqual(id, '');
    break;
  }
  if (cycle % every === 0) {
    await tell(cycle);
  }
}
console.log(JSON.stringify({ interrupted: { AbortSignal: took } }));
