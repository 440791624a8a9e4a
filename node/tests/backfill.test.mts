/** The verbs of a backfill. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { Backfill, CancelledError, Cluster, type Event, InvalidStateError, Repository } from 'snapfill';
import { REPOSITORY, folderOf, shapes, slow } from './fixtures.mjs';

test('a backfill runs and tells what happens', async (context) => {
  const folder = folderOf(context);
  const backfill = new Backfill({ ...shapes(folder), repository: new Repository(REPOSITORY), workers: 2 });
  const plan = await backfill.plan();
  assert.deepEqual(plan.indices.filter(({ decision }) => decision === 'migrate').map(({ name }) => name), ['shapes']);
  assert.equal((await backfill.status()).state, 'NOT_STARTED');
  const told: Event[] = [];
  assert.equal(await backfill.run({ onEvent: (event) => told.push(event) }), 'completed');
  const names = new Set(told.map(({ event }) => event));
  assert.ok((['planned', 'progress', 'itemCompleted', 'workerEnded'] as const).every((name) => names.has(name)));
  const deep = await backfill.status({ deep: true });
  assert.ok(deep.end === 'completed' && deep.state === 'STOPPED' && deep.work.startedMs !== null && deep.work.etaSeconds === null);
  const [filled] = deep.work.indices;
  assert.ok(filled !== undefined && filled.live > 0 && filled.live === filled.books.written);
  const target = new Cluster(folder);
  assert.equal(await target.count('shapes'), filled.live);
  assert.deepEqual((await target.indices()).map(({ index }) => index), ['shapes']);
  assert.equal((await target.info()).distribution, 'local directory');
});

test('listeners are told while it runs, those that come later too', async (context) => {
  const backfill = new Backfill(slow(folderOf(context)));
  const all: string[] = [];
  backfill.on('event', ({ event }) => all.push(event));
  await backfill.start();
  const [progress] = await once(backfill, 'progress');
  assert.ok(progress.index === 'shapes' && progress.documents > 0);
  const ended = once(backfill, 'workerEnded');
  await backfill.pause();
  await ended;
  assert.ok(all.includes('planned') && all.includes('progress'));
  const again = once(backfill, 'itemStarted');
  await backfill.start();
  await again;
  await backfill.pause();
});

test('events are iterated while it runs', async (context) => {
  const backfill = new Backfill(shapes(folderOf(context)));
  const events = backfill.events();
  await backfill.start();
  const names: string[] = [];
  for await (const { event } of events) {
    names.push(event);
  }
  assert.ok(names.includes('itemCompleted') && names.at(-1) === 'workerEnded');
  assert.equal(await backfill.wait(), 'completed');
  await backfill.scale(0);
});

test('a stopped backfill is refused and restored', async (context) => {
  const folder = folderOf(context);
  const backfill = new Backfill(shapes(join(folder, 'filled')));
  await backfill.run();
  const archive = await backfill.stop({ folder: join(folder, 'archives') });
  assert.ok(archive !== null && dirname(archive) === join(folder, 'archives') && existsSync(archive));
  assert.equal((await backfill.status()).state, 'NOT_STARTED');
  await assert.rejects(backfill.start(), (error) => error instanceof InvalidStateError && /restore/.test(error.message));
  await backfill.restore(archive);
  assert.equal((await new Backfill({ target: join(folder, 'filled') }).status({ deep: true })).end, 'completed');
  assert.notEqual(await backfill.reset({ folder }), null);
});

test('a backfill that is disposed of is paused', async (context) => {
  const backfill = new Backfill(slow(folderOf(context)));
  await backfill.start();
  const ended = backfill.wait();
  await Promise.all([assert.rejects(ended, CancelledError), backfill[Symbol.asyncDispose]()]);
  assert.equal((await backfill.status()).fleet.running, 0);
});

test('a configuration file is a backfill', async (context) => {
  const folder = folderOf(context);
  const [file, target] = [join(folder, 'snapfill.toml'), join(folder, 'filled')];
  writeFileSync(
    file,
    `[source]\nrepository = "${REPOSITORY}"\nsnapshot = "snap-2"\n[target]\nendpoint = "${target}"\n[backfill]\nindices = ["shapes"]\n`,
  );
  assert.equal(await Backfill.fromConfig(file).run(), 'completed');
  assert.ok((await new Cluster(target).count('shapes')) > 0);
  assert.throws(() => Backfill.fromConfig(join(folder, 'no-such.toml')), { code: 'NOT_FOUND' });
});
