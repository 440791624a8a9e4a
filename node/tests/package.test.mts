/** The package as a whole: its entry points, its errors, its command line, its README. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { inspect } from 'node:util';

import * as snapfill from 'snapfill';
import { REPOSITORY, ROOT, folderOf } from './fixtures.mjs';

const PACKAGE = join(ROOT, 'node');

const CODES: readonly snapfill.ErrorCode[] = [
  'CONFIG',
  'AUTH',
  'NOT_FOUND',
  'UNAVAILABLE',
  'RATE_LIMITED',
  'CONFLICT',
  'LEASE_LOST',
  'CORRUPT',
  'UNSUPPORTED',
  'INCOMPLETE',
  'STATE',
  'CANCELLED',
  'IO',
  'UNEXPECTED',
];

/** What npm has `snapfill` be. */
function program(): string {
  const { bin } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as { bin: { snapfill: string } };
  return join(PACKAGE, bin.snapfill);
}

/** Runs `snapfill` as npm would. */
function snapfillOf(...words: string[]) {
  return spawnSync(process.execPath, [program(), ...words], { encoding: 'utf8' });
}

test('both entry points give the same', () => {
  const required = createRequire(import.meta.url)('snapfill') as Record<string, unknown>;
  // What loaders add to modules that are required.
  const added = ['default', 'module.exports', '__esModule'];
  const names = Object.keys(snapfill).filter((name) => !added.includes(name));
  assert.deepEqual(names.sort(), Object.keys(required).sort());
  assert.equal(required.Backfill, snapfill.Backfill);
});

test('the version is the same everywhere', () => {
  const { version } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as { version: string };
  assert.equal(snapfill.version, version);
  assert.equal(snapfillOf('--version').stdout.trim(), `snapfill ${version}`);
});

/** The package without its native half, of which `npm` offers these; what loading it said. */
function loadedWithout(folder: string, offered: Record<string, string>) {
  const { version } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as { version: string };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ version, optionalDependencies: offered }));
  cpSync(join(PACKAGE, 'dist'), join(folder, 'dist'), { recursive: true });
  return spawnSync(process.execPath, ['-p', "require('./dist/index.js').version"], { cwd: folder, encoding: 'utf8' });
}

test('without a native half an error says what to install', (context) => {
  const platform = `snapfill-${process.platform}-${process.arch}-gnu`;
  const alone = loadedWithout(folderOf(context), { [platform]: snapfill.version });
  assert.notEqual(alone.status, 0);
  assert.ok(alone.stderr.includes(`neither ../snapfill.node nor ${platform} is there`), alone.stderr);
  assert.ok(alone.stderr.includes(`npm install ${platform}@${snapfill.version}`), alone.stderr);
  const elsewhere = loadedWithout(folderOf(context), { 'snapfill-beos-m68k': snapfill.version });
  assert.match(elsewhere.stderr, /has one in snapfill-beos-m68k alone/);
});

test('the native half is loaded from the package for this platform', (context) => {
  const folder = folderOf(context);
  const platform = join(folder, 'node_modules', `snapfill-${process.platform}-${process.arch}-gnu`);
  mkdirSync(platform, { recursive: true });
  writeFileSync(join(platform, 'package.json'), JSON.stringify({ main: 'snapfill.node' }));
  cpSync(join(PACKAGE, 'snapfill.node'), join(platform, 'snapfill.node'));
  assert.equal(loadedWithout(folder, {}).stdout.trim(), snapfill.version);
  writeFileSync(join(platform, 'snapfill.node'), 'no library');
  assert.match(loadedWithout(folder, {}).stderr, /native half of snapfill in snapfill-\S+-gnu cannot be loaded on linux/);
});

test('the command line is in the package', () => {
  const listed = snapfillOf('--json', 'snapshot', 'list', REPOSITORY);
  assert.equal(listed.status, 0, listed.stderr);
  assert.match(listed.stdout, /snap-2/);
  assert.equal(snapfillOf('snapshot').status, 2);
  const failed = snapfillOf('snapshot', 'list', '/no/such/folder');
  assert.notEqual(failed.status, 0);
  assert.match(failed.stderr, /no\/such\/folder/);
});

test('workers in the background are begun by Node', async (context) => {
  const folder = folderOf(context);
  const source = ['--repo', REPOSITORY, '--snapshot', 'snap-2', '--index', 'shapes'];
  const started = snapfillOf('backfill', 'start', ...source, '--target', folder);
  assert.equal(started.status, 0, started.stderr);
  const watched = snapfillOf('backfill', 'watch', '--target', folder);
  assert.equal(watched.status, 0, watched.stderr);
  assert.equal((await new snapfill.Backfill({ target: folder }).status({ deep: true })).end, 'completed');
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} pauses a run of the command line, which then ends`, async (context) => {
    const source = ['--repo', REPOSITORY, '--snapshot', 'snap-2', '--index', 'shapes'];
    const slowly = ['--max-docs-per-second', '5', '--bulk-documents', '1'];
    const words = ['backfill', 'run', ...source, '--target', folderOf(context), ...slowly];
    const running = spawn(process.execPath, [program(), ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
    const said = createInterface(running.stderr);
    said.once('line', () => running.kill(signal));
    const [code] = (await once(running, 'exit')) as [number | null];
    assert.equal(code, 130);
  });
}

test('every kind of error has a class of its own', () => {
  type Kind = new (message: string, details?: snapfill.ErrorDetails) => snapfill.SnapfillError;
  const isKind = (value: unknown): value is Kind =>
    typeof value === 'function' && value.prototype instanceof snapfill.SnapfillError;
  const classes = (Object.values(snapfill) as unknown[]).filter(isKind);
  const made = classes.map((kind) => new kind('what', { retryable: true, retryAfter: 3000, context: { file: 'a' } }));
  assert.deepEqual(made.map(({ code }) => code).sort(), [...CODES].sort());
  assert.ok(made.every((error) => error.retryable && error.retryAfter === 3000 && error.context.file === 'a'));
  assert.ok(made.every((error) => error.name === error.constructor.name));
});

test('an error says where it happened', async (context) => {
  const folder = folderOf(context);
  await assert.rejects(new snapfill.Repository(folder).snapshots(), (error) => {
    assert.ok(error instanceof snapfill.NotFoundError && error instanceof snapfill.SnapfillError);
    assert.equal(error.context.repository, folder);
    return error.code === 'NOT_FOUND' && !error.retryable && error.retryAfter === null && error.message.includes(folder);
  });
});

test("wrong arguments are JavaScript's own errors and name the argument", () => {
  const backfill = (options: object) => () => new snapfill.Backfill({ target: 'a', ...options });
  assert.throws(backfill({ reposiotry: 'a' }), { name: 'TypeError', message: /reposiotry/ });
  assert.throws(backfill({ workers: 'many' }), { name: 'TypeError', message: /workers: expected a whole number/ });
  assert.throws(backfill({ workers: NaN }), { name: 'TypeError', message: /workers/ });
  assert.throws(backfill({ workers: -1 }), { name: 'RangeError', message: /workers/ });
  assert.throws(backfill({ lease: -1 }), { name: 'RangeError', message: /lease/ });
  assert.throws(backfill({ types: 'mix' }), { code: 'CONFIG', message: /refuse, split, merge/ });
  assert.throws(backfill({ repository: 'a' }), { code: 'CONFIG', message: /both repository and snapshot/ });
  assert.throws(backfill({ fleet: { cluster: 'a' } }), { code: 'CONFIG', message: /service/ });
  assert.throws(backfill({ repository: 3 }), { name: 'TypeError', message: /repository: expected a path or a URL, not 3/ });
  assert.throws(backfill({ target: undefined }), { name: 'TypeError', message: /target/ });
  const snapshot = new snapfill.Repository('a').snapshot('b');
  const documents = (options: object) => () => snapshot.documents(options);
  assert.throws(documents({ index: 3 }), { name: 'TypeError', message: /index: expected text, not 3/ });
  assert.throws(documents({ shard: NaN }), { name: 'TypeError', message: /shard: expected a whole number/ });
  assert.throws(documents({ shard: -1 }), { name: 'RangeError', message: /shard: expected a whole number/ });
  const cluster = (options: object) => () => new snapfill.Cluster('https://a.example.com', options);
  assert.throws(cluster({ aws: { service: 'es', regoin: 'a' } }), { name: 'TypeError', message: /aws: .*regoin/ });
});

test('secrets are not shown', () => {
  const cluster = new snapfill.Cluster('https://search.example.com', { user: 'filler', password: 'hunter2' });
  assert.ok(!inspect(cluster, { depth: 9, showHidden: true }).includes('hunter2'));
  const refused = [
    () => new snapfill.Cluster('https://filler:hunter2@search.example.com'),
    () => new snapfill.Cluster('https://search.example.com', { user: 'filler', password: ['hunter2'] as unknown as string }),
    () => new snapfill.Cluster('https://search.example.com', { user: 'filler', password: 2, caFile: 'hunter2' } as object),
  ];
  for (const make of refused) {
    assert.throws(make, (error) => error instanceof Error && !inspect(error).includes('hunter2'));
  }
});

/** The first snippets of a README. */
function snippetsOf(readme: string, count: number): string {
  const found = [...readFileSync(readme, 'utf8').matchAll(/```js\n([\s\S]*?)```/g)].map(([, text]) => text ?? '');
  assert.ok(found.length >= count);
  return found.slice(0, count).join('\n');
}

for (const [readme, count, expected] of [
  ['node/README.md', 2, /written: \d+/],
  ['README.md', 1, /completed/],
] as const) {
  test(`the first snippets of ${readme} run as they are printed`, (context) => {
    const folder = folderOf(context);
    // What a reader has has other names; nothing else is changed.
    const script = snippetsOf(join(ROOT, readme), count)
      .replaceAll(/\/backups(\/nightly)?/g, REPOSITORY)
      .replaceAll('./filled', join(folder, 'filled'))
      .replaceAll("'nightly'", "'snap-2'")
      .replaceAll("'logs'", "'shapes'");
    const ran = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: PACKAGE, encoding: 'utf8' });
    assert.equal(ran.status, 0, ran.stderr);
    assert.match(ran.stdout, expected);
  });
}
