/**
 * Fills a folder with documents of a snapshot, shows how it comes forward, and tells what was moved.
 *
 * node fill-a-folder.mjs REPOSITORY SNAPSHOT FOLDER [INDEX ...]
 */

import { Backfill, SnapfillError } from 'snapfill';

async function main([repository, snapshot, target, ...names]: string[]): Promise<number> {
  if (!repository || !snapshot || !target) {
    console.error('usage: node fill-a-folder.mjs REPOSITORY SNAPSHOT FOLDER [INDEX ...]');
    return 2;
  }
  const indices = names.length > 0 ? names : undefined;
  const backfill = new Backfill({ repository, snapshot, target, indices, workers: 2 });
  const planned = (await backfill.plan()).indices.filter(({ decision }) => decision === 'migrate');
  console.log('will fill:', planned.map(({ name }) => name).join(', '));
  backfill.on('itemCompleted', ({ index, shard }) => console.log(`${index}[${shard}] is done`));
  try {
    const end = await backfill.run();
    const { books } = (await backfill.status({ deep: true })).work;
    console.log(`${end}: ${books.written} documents written, ${books.failed} failed`);
    return end === 'completed' ? 0 : 1;
  } catch (error) {
    if (error instanceof SnapfillError) {
      console.error(`${error.code}: ${error.message}`);
      return 1;
    }
    throw error;
  }
}

process.exitCode = await main(process.argv.slice(2));
