/** The scenarios of `tests/conformance`. */

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import * as snapfill from 'snapfill';
import { FIXTURES, ROOT, fakes, folderOf } from './fixtures.mjs';

interface Step {
  readonly do: string;
  readonly with?: Given;
  readonly of?: Given;
  readonly gives?: unknown;
  readonly fails?: string;
  readonly retryable?: boolean;
  readonly save?: string;
}

type Given = Readonly<Record<string, unknown>>;

const SCENARIOS = readdirSync(join(ROOT, 'tests/conformance')).filter((file) => file.endsWith('.json'));
assert.ok(SCENARIOS.length > 0, 'there is no scenario');

/** Makes the steps of a scenario. */
class Client {
  readonly names = new Map<string, string>();
  readonly backfills = new Map<string, readonly [snapfill.Backfill, snapfill.Events]>();

  async step(step: Step): Promise<void> {
    const given = this.fill(step.with ?? {}) as Given;
    let result: unknown;
    try {
      const of = step.of && (this.fill(step.of) as Given);
      result = of === undefined ? await alone(step.do, given) : await this.ofBackfill(step.do, given, of);
    } catch (error) {
      assert.ok(error instanceof snapfill.SnapfillError, `${step.do}: ${error}`);
      assert.equal(error.code, step.fails, `${step.do}: ${error}`);
      assert.ok(error.constructor !== snapfill.SnapfillError && error.message !== '');
      assert.equal(error.retryable, step.retryable ?? error.retryable);
      return;
    }
    assert.ok(step.fails === undefined, `${step.do} gave ${JSON.stringify(result)}`);
    if (step.save !== undefined) {
      assert.ok(typeof result === 'string');
      this.names.set(step.save, result);
    }
    if (step.gives !== undefined) {
      assert.ok(holds(result, this.fill(step.gives)), `${step.do} gave ${JSON.stringify(result)}`);
    }
  }

  async ofBackfill(verb: string, given: Given, of: Given): Promise<unknown> {
    const key = JSON.stringify(of);
    if (!this.backfills.has(key)) {
      const backfill = new snapfill.Backfill(inCamelCase(of) as unknown as snapfill.BackfillOptions);
      this.backfills.set(key, [backfill, backfill.events()]);
    }
    const [backfill, events] = this.backfills.get(key)!;
    const folder = given.folder as string;
    switch (verb) {
      case 'plan':
        return backfill.plan();
      case 'start':
        return backfill.start();
      case 'scale':
        return backfill.scale(given.workers as number);
      case 'scale_gradually':
        return stepsOf(backfill, given);
      case 'pause':
        return backfill.pause();
      case 'stop':
        return backfill.stop({ folder });
      case 'archive':
        return backfill.archive({ folder });
      case 'restore':
        return backfill.restore(given.file as string);
      case 'reset':
        return backfill.reset({ folder });
      case 'status':
        return backfill.status();
      case 'deep_status':
        return backfill.status({ deep: true });
      case 'limits':
        return backfill.limits();
      case 'limit':
        return backfill.limit(inCamelCase(given) as unknown as snapfill.RateLimits);
      case 'failed_summary':
        return backfill.failedSummary();
      case 'failed_documents':
        return failedDocuments(backfill, given);
      case 'redrive':
        return backfill.redrive(given as snapfill.FailedFilter);
      case 'report':
        return backfill.report();
      case 'wait':
        return backfill.wait();
      case 'events':
        return namesOf(events);
      default:
        return assert.fail(`no verb ${verb} of a backfill`);
    }
  }

  /** Puts names in their places. */
  fill(value: unknown): unknown {
    if (typeof value === 'string') {
      return value.replace(/\$(\w+)/g, (_, name: string) => this.names.get(name) ?? assert.fail(`no name ${name}`));
    }
    return mapped(value, (inner) => this.fill(inner));
  }
}

/** What is done without a backfill. */
async function alone(verb: string, given: Given): Promise<unknown> {
  if (verb === 'write') {
    const file = given.file as string;
    mkdirSync(dirname(file), { recursive: true });
    return writeFileSync(file, given.text as string);
  }
  if (verb === 'tell') {
    const answer = await fetch(given.url as string, { method: 'POST', body: JSON.stringify(given.say) });
    return assert.equal(answer.status, 200);
  }
  if (verb.startsWith('cluster_')) {
    return ofCluster(verb, new snapfill.Cluster(given.address as string), given);
  }
  const repository = new snapfill.Repository(given.repository as string);
  if (verb === 'snapshots') {
    return repository.snapshots();
  }
  const snapshot = repository.snapshot(given.snapshot as string);
  switch (verb) {
    case 'info':
      return snapshot.info();
    case 'indices':
      return snapshot.indices();
    case 'documents':
      return documents(snapshot.documents(given as snapfill.DocumentsOptions), (given.batch ?? 1000) as number);
    default:
      return assert.fail(`no verb ${verb}`);
  }
}

async function ofCluster(verb: string, cluster: snapfill.Cluster, given: Given): Promise<unknown> {
  switch (verb) {
    case 'cluster_info':
      return cluster.info();
    case 'cluster_indices':
      return cluster.indices();
    case 'cluster_count':
      return cluster.count(given.index as string);
    default:
      return assert.fail(`no verb ${verb}`);
  }
}

async function documents(stream: snapfill.Documents, size: number): Promise<unknown> {
  const found: unknown[] = [];
  for await (const batch of stream.batches(size)) {
    assert.ok(batch.length >= 1 && batch.length <= size);
    found.push(...batch.map((document) => ({ ...document, source: document.source.toString() })));
  }
  return { count: found.length, skipped: stream.skipped, documents: found };
}

async function failedDocuments(backfill: snapfill.Backfill, { batch = 1000, ...filter }: Given): Promise<unknown> {
  const found: snapfill.FailedDocument[] = [];
  for await (const some of backfill.failedDocuments(filter as snapfill.FailedFilter).batches(batch as number)) {
    assert.ok(some.length >= 1 && some.length <= (batch as number));
    found.push(...some);
  }
  return found;
}

async function stepsOf(backfill: snapfill.Backfill, { workers, settle, ...given }: Given): Promise<snapfill.GradualStep[]> {
  const options = { ...inCamelCase(given), ...(settle === undefined ? {} : { settle: (settle as number) * 1000 }) };
  const steps: snapfill.GradualStep[] = [];
  for await (const step of backfill.scaleGradually(workers as number, options)) {
    steps.push(step);
  }
  return steps;
}

async function namesOf(events: snapfill.Events): Promise<string[]> {
  const names: string[] = [];
  for await (const { event } of events) {
    names.push(event.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
  }
  return names;
}

/** Whether a result has what is expected of it. */
function holds(actual: unknown, expected: unknown): boolean {
  if (Array.isArray(expected)) {
    return Array.isArray(actual) && expected.every((inner) => actual.some((item) => holds(item, inner)));
  }
  if (typeof expected !== 'object' || expected === null) {
    return actual === expected;
  }
  const names = Object.keys(expected).join();
  if (names === 'at_least') {
    return (actual as number) >= (expected as { at_least: number }).at_least;
  }
  if (names === 'length') {
    return (actual as unknown[]).length === (expected as { length: number }).length;
  }
  const fields = Object.entries(expected);
  return fields.every(([name, inner]) => {
    const field = name in (actual as object) ? name : camel(name);
    return field in (actual as object) && holds((actual as Given)[field], inner);
  });
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function inCamelCase(of: Given): Given {
  return Object.fromEntries(Object.entries(of).map(([name, value]) => [camel(name), value]));
}

function mapped(value: unknown, map: (inner: unknown) => unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(map);
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, map(inner)]));
  }
  return value;
}

for (const file of SCENARIOS) {
  const { name, steps } = JSON.parse(readFileSync(join(ROOT, 'tests/conformance', file), 'utf8')) as {
    name: string;
    steps: Step[];
  };
  test(`${file}: ${name}`, async (context) => {
    const client = new Client();
    const { cluster } = await fakes(context);
    client.names.set('fixtures', FIXTURES).set('tmp', folderOf(context)).set('cluster', cluster);
    for (const step of steps) {
      await client.step(step);
    }
  });
}
