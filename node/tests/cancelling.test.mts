/** Aborted signals: what runs ends soon and in order, leaves nothing behind, and goes on where it stood. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { AbortError, Backfill, type BackfillOptions, Cluster, type Event, Repository } from 'snapfill';
import { REPOSITORY, collectGarbage, folderOf, inUse, settles, shapes } from './fixtures.mjs';

/** Documents of the index. */
const SHAPES = 348;

/** Long before it would end by itself. */
const SOON = 20_000;

/** A backfill that takes more than a minute unless it is interrupted. */
function endless(target: string): BackfillOptions {
  return { ...shapes(target), maxDocsPerSecond: 5, bulkDocuments: 5, bulksInFlight: 1 };
}

/** What of a backfill can be aborted, once it has written something. */
const INTERRUPTED: Readonly<Record<string, (backfill: Backfill, signal: AbortSignal) => Promise<unknown>>> = {
  wait: (backfill, signal) => backfill.wait({ signal }),
  events: async (backfill, signal) => {
    for await (const event of backfill.events({ signal })) {
      assert.ok(event);
    }
  },
  run: (backfill, signal) => backfill.run({ signal }),
  'run with events': (backfill, signal) => backfill.run({ signal, onEvent: () => undefined }),
};

/** Nobody works any more, and another run writes what is left. */
async function goesOnWhereItStood(target: string): Promise<void> {
  const { state, fleet, end, work } = await new Backfill(endless(target)).status({ deep: true });
  assert.deepEqual([state, fleet.running, end], ['STOPPED', 0, null]);
  assert.ok(work.books.written > 0 && work.books.written < SHAPES);
  assert.equal(await new Cluster(target).count('shapes'), work.books.written);
  const backfill = new Backfill({ ...endless(target), maxDocsPerSecond: 1_000_000 });
  assert.equal(await backfill.run(), 'completed');
  assert.equal((await backfill.status({ deep: true })).work.books.written, SHAPES);
  assert.equal(await new Cluster(target).count('shapes'), SHAPES);
}

for (const [name, interrupted] of Object.entries(INTERRUPTED)) {
  test(`an aborted ${name} pauses what runs and leaves nothing behind`, async (context) => {
    const folder = folderOf(context);
    await new Repository(REPOSITORY).snapshots();
    const before = inUse();
    const stop = new AbortController();
    await (async () => {
      const backfill = new Backfill(endless(folder));
      const told = once(backfill, 'progress');
      await backfill.start();
      await told;
      const began = Date.now();
      setTimeout(() => stop.abort(new Error('enough')), 100);
      await assert.rejects(interrupted(backfill, stop.signal), (error) => error instanceof AbortError);
      assert.ok(Date.now() - began < SOON);
      assert.equal((await backfill.status()).fleet.running, 0);
      backfill.removeAllListeners();
    })();
    await goesOnWhereItStood(folder);
    await settles(before);
  });
}

test('an aborted reading leaves nothing behind', async () => {
  const snapshot = new Repository(REPOSITORY).snapshot('snap-2');
  await snapshot.info();
  const before = inUse();
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 100);
  const read = async () => {
    for (;;) {
      for await (const { id } of snapshot.documents({ signal: stop.signal })) {
        assert.notEqual(id, '');
      }
    }
  };
  await assert.rejects(read, AbortError);
  await settles(before);
});

test('a signal that was aborted before pauses as well', async (context) => {
  const backfill = new Backfill(endless(folderOf(context)));
  await backfill.start();
  await assert.rejects(backfill.wait({ signal: AbortSignal.abort() }), AbortError);
  assert.equal((await backfill.status()).fleet.running, 0);
});

test('who leaves the loop over events leaves the workers working', async (context) => {
  const backfill = new Backfill(endless(folderOf(context)));
  const events = backfill.events();
  await backfill.start();
  for await (const { event } of events) {
    if (event === 'progress') {
      break;
    }
  }
  assert.equal((await backfill.status()).state, 'RUNNING');
  await backfill.pause();
});

test('beginning and aborting over and over leaves nothing behind', async (context) => {
  const folder = folderOf(context);
  const cycles = async (first: number, last: number) => {
    for (let number = first; number < last; number += 1) {
      const stop = new AbortController();
      const onEvent = ({ event }: Event) => event === 'progress' && stop.abort();
      const interrupted = new Backfill(endless(join(folder, String(number)))).run({ onEvent, signal: stop.signal });
      await assert.rejects(interrupted, AbortError);
    }
  };
  await cycles(0, 10);
  await sleep(1500);
  collectGarbage();
  const [before, memory] = [inUse(), process.memoryUsage.rss()];
  await cycles(10, 60);
  await settles(before);
  assert.ok(process.memoryUsage.rss() < memory + 64 * 2 ** 20);
});
