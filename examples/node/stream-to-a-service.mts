/**
 * Streams one index of a snapshot to a service, as NDJSON in one request, with fields left out on the way. The service's pace is
 * the reading's: no more than a few batches are held.
 *
 * node stream-to-a-service.mjs REPOSITORY SNAPSHOT INDEX URL [FIELD ...]
 */

import { Readable } from 'node:stream';

import { type Document, Repository } from 'snapfill';

/** The document without these fields; none if nothing is left of it. */
function without(fields: readonly string[], document: Document): Document | null {
  const data = Object.entries(document.json<object>()).filter(([name]) => !fields.includes(name));
  return data.length === 0 ? null : document.replace({ source: JSON.stringify(Object.fromEntries(data)) });
}

async function main([repository, snapshot, index, url, ...fields]: string[]): Promise<number> {
  if (!repository || !snapshot || !index || !url) {
    console.error('usage: node stream-to-a-service.mjs REPOSITORY SNAPSHOT INDEX URL [FIELD ...]');
    return 2;
  }
  let sent = 0;
  async function* lines(batches: AsyncIterable<Document[]>) {
    for await (const batch of batches) {
      const documents = batch.map((document) => without(fields, document)).filter((document) => document !== null);
      sent += documents.length;
      yield documents.map(({ id, source }) => `{"id":${JSON.stringify(id)},"document":${source.toString()}}\n`).join('');
    }
  }
  const documents = new Repository(repository).snapshot(snapshot).documents({ index });
  const request = {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: Readable.toWeb(Readable.from(lines(documents.batches()))) as ReadableStream,
    duplex: 'half' as const, // which the types of browsers do not know
  };
  const answer = await fetch(url, request);
  console.log(`${sent} documents, and the service said ${answer.status}`);
  return answer.ok ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
