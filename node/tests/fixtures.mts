/** What the tests share: real snapshots, folders of their own, and slow backfills. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

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

/** A backfill of one index. */
export function shapes(target: string): BackfillOptions {
  return { repository: REPOSITORY, snapshot: 'snap-2', target, indices: 'shapes' };
}

/** The same, slow enough to be interrupted. */
export function slow(target: string): BackfillOptions {
  return { ...shapes(target), maxDocsPerSecond: 50, bulkDocuments: 5, bulksInFlight: 1 };
}
