/** What the tests share: real snapshots, folders of their own, and slow backfills. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import type { BackfillOptions } from 'snapfill';

/** The project. */
export const ROOT = resolve(fileURLToPath(import.meta.url), '../../../..');

/** Snapshots that servers wrote. */
export const FIXTURES = join(ROOT, 'tests/fixtures');

/** A repository that OpenSearch 3.8 wrote; it has `snap-1` and `snap-2`. */
export const REPOSITORY = join(FIXTURES, 'opensearch-3.8.0/repo');

/** A new folder that goes with the test. */
export function folderOf(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'snapfill-node-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Where servers beside the tests are. */
export interface Fakes {
  /** A cluster that refuses documents when it is told to. */
  readonly cluster: string;
  /** A real server, where workers were asked for. */
  readonly server?: string;
  /** An Amazon ECS whose tasks fill it. */
  readonly ecs?: { readonly url: string; readonly cluster: string; readonly service: string };
}

/** Where programs are that were built. */
export const BUILT = process.env.SNAPFILL_BUILT ?? join(ROOT, 'target/debug');

/** Servers that go with the test: `snapfill-fakes`, as `cargo xtask node` builds it. */
export async function fakes(test: TestContext, ...words: string[]): Promise<Fakes> {
  const program = spawn(join(BUILT, 'snapfill-fakes'), words, { stdio: ['pipe', 'pipe', 'inherit'] });
  test.after(async () => {
    const ended = once(program, 'exit');
    program.stdin.end();
    await ended;
  });
  const [line] = (await once(createInterface(program.stdout), 'line')) as [string];
  return JSON.parse(line) as Fakes;
}

/** A backfill of one index. */
export function shapes(target: string): BackfillOptions {
  return { repository: REPOSITORY, snapshot: 'snap-2', target, indices: 'shapes' };
}

/** The same, slow enough to be interrupted. */
export function slow(target: string): BackfillOptions {
  return { ...shapes(target), maxDocsPerSecond: 50, bulkDocuments: 5, bulksInFlight: 1 };
}

/** What this process has in use: threads, open files, and what keeps its event loop alive. */
export function inUse(): [threads: number, files: number, resources: number] {
  const entries = (folder: string) => readdirSync(`/proc/self/${folder}`).length;
  return [entries('task'), entries('fd'), process.getActiveResourcesInfo().length];
}

setFlagsFromString('--expose-gc');

/** Lets go of what nobody has any more. */
export const collectGarbage = runInNewContext('gc') as () => void;

/** Waits until no more is in use than before: threads without work stay for a while, and handles until they are collected. */
export async function settles(before: readonly number[]): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (inUse().some((count, what) => count > (before[what] ?? 0))) {
    assert.ok(Date.now() < deadline, `${inUse()} in use, and ${before} before`);
    await sleep(50);
    collectGarbage();
  }
}
