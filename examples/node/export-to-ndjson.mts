/**
 * Writes one index of a snapshot to a file, one document a line, as `_bulk` would read it. No cluster is needed.
 *
 * node export-to-ndjson.mjs REPOSITORY SNAPSHOT INDEX FILE
 */

import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { type Document, Repository } from 'snapfill';

/** The two lines of a document. */
function lines({ index, id, routing, source }: Document): string {
  const action = { index: { _index: index, _id: id, ...(routing === null ? {} : { routing }) } };
  return `${JSON.stringify(action)}\n${source.toString()}\n`;
}

async function main([repository, snapshot, index, file]: string[]): Promise<number> {
  if (!repository || !snapshot || !index || !file) {
    console.error('usage: node export-to-ndjson.mjs REPOSITORY SNAPSHOT INDEX FILE');
    return 2;
  }
  let count = 0;
  async function* exported(documents: AsyncIterable<Document[]>) {
    for await (const batch of documents) {
      count += batch.length;
      yield batch.map(lines).join('');
    }
  }
  const documents = new Repository(repository).snapshot(snapshot).documents({ index });
  await pipeline(Readable.from(exported(documents.batches())), createWriteStream(file));
  console.log(`${count} documents`);
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
