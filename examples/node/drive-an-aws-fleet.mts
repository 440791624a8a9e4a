/**
 * Fills a cluster by the tasks of an Amazon ECS service: more of them as long as the target is well, and none when all is done.
 *
 * node drive-an-aws-fleet.mjs --repository s3://backups/nightly --snapshot snap-1 --target https://search.example.com \
 *   --cluster migration --service workers --failed-store s3://backups/failed --workers 10
 */

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { Backfill } from 'snapfill';

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: {
    repository: text,
    snapshot: text,
    target: text,
    cluster: text,
    service: text,
    'failed-store': text,
    index: { type: 'string', multiple: true },
    workers: { type: 'string', default: '10' },
    settle: { type: 'string', default: '60' },
    'max-cpu': { type: 'string', default: '80' },
    lease: { type: 'string', default: '60' },
    archives: { type: 'string', default: 'archives' },
  },
});
const { repository, snapshot, target, cluster, service, 'failed-store': failedStore } = values;
if (!repository || !snapshot || !target || !cluster || !service || !failedStore) {
  throw new Error('give --repository, --snapshot, --target, --cluster, --service and --failed-store');
}

const backfill = new Backfill({
  repository,
  snapshot,
  target,
  failedStore,
  indices: values.index,
  // How soon others take over from a worker that died.
  lease: 1000 * Number(values.lease),
  fleet: {
    cluster,
    service,
    endpoint: process.env.AWS_ENDPOINT_URL_ECS,
    // A folder of this machine is meant to be one that the tasks mount, too.
    sharedFolders: !repository.includes('://'),
  },
});
const steps = backfill.scaleGradually(Number(values.workers), {
  settle: 1000 * Number(values.settle),
  maxCpuPercent: Number(values['max-cpu']),
});
for await (const { line } of steps) {
  console.log(line);
}
const end = await backfill.wait();
const { books, markdown } = await backfill.report();
writeFileSync('report.md', markdown);
// Nothing is left to be done: the tasks are sent away, and the working state becomes a file.
const archive = await backfill.stop({ folder: values.archives });
console.log(`${end}: ${books.written} documents written, ${books.failed} failed; archived in ${archive}`);
process.exitCode = end === 'completed' ? 0 : 1;
