/** Reads all documents of a snapshot in batches, and says how long that took. */

import { performance } from 'node:perf_hooks';

import { Repository } from '../../node/dist/index.mjs';

const [repository, snapshot] = process.argv.slice(2);
let [count, size, ids] = [0, 0, 0];
const began = performance.now();
for await (const batch of new Repository(repository).snapshot(snapshot).documents().batches()) {
  for (const document of batch) {
    count += 1;
    size += document.source.length;
    ids += document.id.length;
  }
}
console.log(JSON.stringify({ documents: count, bytes: size, ids, seconds: (performance.now() - began) / 1000 }));
