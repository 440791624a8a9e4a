/** What snapfill logs. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Backfill, ConfigError, type LogRecord, setLogger } from 'snapfill';
import { ROOT, folderOf, shapes } from './fixtures.mjs';

test('a logger is told what it asks for, and nothing after it was taken away', async (context) => {
  const told: LogRecord[] = [];
  setLogger((record) => told.push(record), { filter: 'snapfill=debug' });
  await new Backfill(shapes(folderOf(context))).run();
  while (!told.some(({ message }) => message === 'worker ended')) {
    await sleep(10);
  }
  const planned = told.find(({ message }) => message === 'the run is planned');
  assert.ok(planned);
  assert.deepEqual([planned.level, planned.target], ['info', 'snapfill::backfill']);
  assert.ok(Number(planned.fields['documents']) > 0);
  assert.ok(told.some(({ level }) => level === 'debug'));

  const errors: LogRecord[] = [];
  setLogger((record) => errors.push(record), { filter: 'error' });
  await new Backfill(shapes(folderOf(context))).run();
  setLogger(null);
  const count = told.length;
  await new Backfill(shapes(folderOf(context))).run();
  await sleep(50);
  assert.deepEqual([errors.length, told.length], [0, count]);
});

test('wrong arguments are refused', () => {
  assert.throws(() => setLogger(() => undefined, { filter: 'snapfill=loud' }), ConfigError);
  assert.throws(() => setLogger('console' as never), TypeError);
  assert.throws(() => setLogger(() => undefined, { filter: 7 as never }), TypeError);
});

/** Runs a backfill in a process of its own. */
function run(folder: string, begin: string, environment: NodeJS.ProcessEnv = {}) {
  const script = `
    const { Backfill, setLogger } = require('snapfill');
    ${begin}
    new Backfill(${JSON.stringify(shapes(folder))}).run().then((end) => console.log(end));
  `;
  const env = { ...process.env, ...environment };
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], { cwd: `${ROOT}/node`, encoding: 'utf8', env });
  return { status, lines: stdout.trim().split('\n'), stderr };
}

test('nothing is said unasked, and a logger keeps no process alive', (context) => {
  const quiet = run(folderOf(context), '', { SNAPFILL_LOG: 'trace' });
  assert.deepEqual(quiet, { status: 0, lines: ['completed'], stderr: '' });
  const logger = 'setLogger(({ level }) => console.log(level));';
  const told = run(folderOf(context), logger, { SNAPFILL_LOG: 'snapfill=debug' });
  assert.equal(told.status, 0);
  assert.ok(told.lines.includes('debug') && told.lines.includes('completed'), told.lines.join());
  const usual = run(folderOf(context), logger, { SNAPFILL_LOG: undefined });
  assert.ok(usual.lines.includes('info') && !usual.lines.includes('debug'), usual.lines.join());
});
