/** What needs a real server: a configuration file of OpenSearch's Migration Assistant, and a fleet on Amazon ECS. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { Backfill, Cluster, ConfigError } from 'snapfill';
import { BUILT, FIXTURES, ROOT, fakes, folderOf } from './fixtures.mjs';

/** A `services.yaml` as it is there. */
function services(folder: string, target: string, fleet: string): string {
  const file = join(folder, 'services.yaml');
  writeFileSync(
    file,
    `
source_cluster:
  endpoint: "http://capture-proxy:9200"
  no_auth:
target_cluster:
  endpoint: "${target}"
  basic_auth:
    username: "admin"
    password: "hunter2"
backfill:
  reindex_from_snapshot:
    ${fleet}
    backfill_session_name: "${basename(folder).toLowerCase()}"
    scale: 2
snapshot:
  snapshot_name: "snap-1"
  snapshot_repo_name: "migration_assistant_repo"
  fs:
    repo_path: "${FIXTURES}/elasticsearch-7.10.2/repo"
metadata_migration:
  from_snapshot:
`,
  );
  return file;
}

test('on a real server', async (context) => {
  const { server, ecs } = await fakes(context, '--workers', join(BUILT, 'snapfill'));
  assert.ok(server !== undefined && ecs !== undefined);

  await context.test('a file of the Migration Assistant is a backfill', async (context) => {
    const backfill = Backfill.fromConfig(services(folderOf(context), server, ''));
    const plan = await backfill.plan();
    assert.ok(plan.snapshot === 'snap-1' && plan.indices.some(({ decision }) => decision === 'migrate'));
    assert.equal(await backfill.run(), 'completed');
    const report = await backfill.report();
    assert.ok(report.target.startsWith(server) && report.balanced && report.live > 0);
    assert.ok(!JSON.stringify(report).includes('hunter2'));
  });

  await context.test('an AWS fleet is driven and stopped when done', async (context) => {
    const folder = folderOf(context);
    const script = join(ROOT, 'node/dist/examples/drive-an-aws-fleet.mjs');
    const words = [
      ...['--repository', join(FIXTURES, 'opensearch-2.19.6/repo'), '--snapshot', 'snap-2', '--target', server],
      ...['--cluster', ecs.cluster, '--service', ecs.service, '--failed-store', join(folder, 'failed')],
      ...['--index', 'shapes', '--index', 'routed', '--workers', '3', '--settle', '1', '--max-cpu', '100', '--lease', '6'],
    ];
    const env = {
      ...process.env,
      AWS_ENDPOINT_URL_ECS: ecs.url,
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'AKIDFLEET',
      AWS_SECRET_ACCESS_KEY: 'hunter2',
      XDG_STATE_HOME: join(folder, 'state'),
    };
    const { stdout } = await promisify(execFile)(process.execPath, [script, ...words], { cwd: folder, env });
    const said = stdout.trimEnd().split('\n');
    assert.match(said.at(0) ?? '', /^Up to 1 worker: /);
    assert.match(said.at(-2) ?? '', /^Done with /);
    assert.match(said.at(-1) ?? '', /^completed: 402 documents written, 0 failed; archived in /);
    assert.ok((await new Cluster(server).count('shapes')) >= 348);
    assert.match(readFileSync(join(folder, 'report.md'), 'utf8'), /^# /);
    assert.ok(readdirSync(join(folder, 'archives')).some((name) => name.endsWith('.json')));
  });
});

test('containers of this machine are refused with what to do', (context) => {
  const file = services(folderOf(context), 'http://127.0.0.1:9', 'docker:');
  assert.throws(
    () => Backfill.fromConfig(file),
    (error) => error instanceof ConfigError && error.message.includes('docker') && !error.message.includes('hunter2'),
  );
});
