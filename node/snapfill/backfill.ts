import { EventEmitter } from 'node:events';

import { numberOf, textOf } from './arguments.js';
import { Cluster } from './cluster.js';
import { type Abortable, ask, now, write } from './crossing.js';
import { CancelledError } from './errors.js';
import { type Event, Events, pausing } from './events.js';
import { FailedDocuments } from './failed.js';
import { GradualScaling } from './gradual.js';
import type { DeepStatus, FailedSummary, Plan, RateLimits, Redriven, Report, RunEnd, Status } from './model.js';
import { type NativeBackfill, native } from './native.js';
import type { BackfillOptions, FailedFilter, GradualOptions } from './options.js';
import { Repository, Snapshot, placeOf } from './repository.js';
import { type Transform, asking } from './transform.js';

/** Where an archive of the working state goes. */
export interface ArchiveOptions extends Abortable {
  /** The folder; left out: `$SHARED_LOGS_DIR_PATH/backfill_working_state`, or else `./backfill_working_state`. */
  readonly folder?: string | undefined;
}

/** What a status is to tell. */
export interface StatusOptions extends Abortable {
  /** How far the work is, too. */
  readonly deep?: boolean | undefined;
}

/** How a run is watched. */
export interface RunOptions extends Abortable {
  /** Called with every event; what it returns is awaited. */
  readonly onEvent?: ((event: Event) => unknown) | undefined;
}

/** What a backfill emits: every event under its own name and under `event`, and what its telling fails with. */
export type BackfillEvents = {
  readonly [Told in Event as Told['event']]: [event: Told];
} & {
  readonly event: [event: Event];
  readonly error: [error: unknown];
};

/** What a configuration file cannot say. */
export type ConfigOptions = Pick<BackfillOptions, 'transform'>;

/** Stands for the options of a backfill that a file configures. */
class Configured {
  constructor(
    readonly path: string,
    readonly transform: Transform | undefined,
  ) {}
}

/** Names of an emitter that are about itself. */
const OWN_NAMES: ReadonlySet<string | symbol> = new Set(['newListener', 'removeListener', 'error']);

/**
 * Fills a target with the documents of a snapshot.
 *
 * Every verb may be repeated, and in any order; what is not allowed now is an `InvalidStateError`. It is an `EventEmitter`: while
 * a run that it began goes on, whoever listens is told of events.
 *
 * ```js
 * const backfill = new Backfill({ repository: '/backups', snapshot: 'nightly', target: './filled', workers: 2 });
 * backfill.on('progress', ({ index, documents }) => console.log(index, documents));
 * console.log(await backfill.run());
 * ```
 */
export class Backfill extends EventEmitter<BackfillEvents> {
  readonly #native: NativeBackfill;
  /** What listeners are told. */
  #heard: Events | undefined;
  /** What its transform threw last. */
  #thrown: unknown;
  #isRunning = false;
  #isTelling = false;

  /** Nothing is opened before it is asked for something. */
  constructor(options: BackfillOptions) {
    super();
    this.#native = now(() => this.#made(options));
    const emitter: EventEmitter = this;
    emitter.on('newListener', (name: string | symbol) => this.#listen(name));
  }

  /**
   * The backfill of a configuration file: TOML or YAML, or a `services.yaml` of OpenSearch's Migration Assistant. The file is
   * read now, and so are the secrets that it names.
   *
   * @throws {NotFoundError} There is no such file.
   * @throws {ConfigError} It cannot be understood; the text says file, line and column.
   */
  static fromConfig(path: string | URL, { transform }: ConfigOptions = {}): Backfill {
    return new Backfill(new Configured(placeOf(path, 'path'), transform) as unknown as BackfillOptions);
  }

  /**
   * What a run would do. Changes nothing.
   *
   * @throws {NotFoundError} The selection names what is not there.
   */
  async plan(options?: Abortable): Promise<Plan> {
    return ask(this.#native.plan(), options);
  }

  /**
   * Plans, makes the indices, and brings up as many workers as are configured.
   *
   * @throws {InvalidStateError} The session is about another run, or was stopped.
   */
  async start(options?: Abortable): Promise<void> {
    this.#thrown = undefined;
    await ask(this.#native.start(), options);
    this.#begin();
  }

  /** Sets the number of workers. From 0 it starts the backfill. */
  async scale(workers: number, options?: Abortable): Promise<void> {
    await ask(now(() => this.#native.scale(numberOf(workers, 'workers'))), options);
    if (workers > 0) {
      this.#begin();
    }
  }

  /**
   * Sets the number of workers step by step, as long as the target is well. Iterating over it makes the steps:
   *
   * ```js
   * for await (const { line } of backfill.scaleGradually(10)) {
   *   console.log(line); // Up to 2 workers: the target is well
   * }
   * ```
   *
   * It ends when the goal is reached and the target still well, when nothing is left to be done, or when somebody else sent the
   * workers away.
   *
   * @throws {ConfigError} An option makes no sense.
   */
  scaleGradually(workers: number, { signal, ...options }: GradualOptions & Abortable = {}): GradualScaling {
    const scaling = now(() => this.#native.scaleGradually(numberOf(workers, 'workers'), write(options)));
    return new GradualScaling(scaling, { signal }, (step) => step.workers > 0 && this.#begin());
  }

  /** Sends all workers away and waits until they are gone. What they had done is kept; `start()` goes on there. */
  async pause(options?: Abortable): Promise<void> {
    await ask(this.#native.pause(), options);
  }

  /**
   * Ends the backfill for good: archives the working state to a file, reads it back, and only then deletes it. Gives the file;
   * `null` when there was no working state.
   *
   * @throws {StorageError} The file cannot be written; then nothing is deleted.
   */
  async stop({ folder, signal }: ArchiveOptions = {}): Promise<string | null> {
    return ask(now(() => this.#native.stop(textOf(folder, 'folder'))), { signal });
  }

  /**
   * The same as `stop()`, for a backfill whose workers are gone.
   *
   * @throws {InvalidStateError} Workers are at it.
   */
  async archive({ folder, signal }: ArchiveOptions = {}): Promise<string | null> {
    return ask(now(() => this.#native.archive(textOf(folder, 'folder'))), { signal });
  }

  /**
   * Brings a stopped backfill back to where it was. `start()` then goes on.
   *
   * @throws {NotFoundError} There is no such file.
   * @throws {CorruptError} It is damaged.
   * @throws {InvalidStateError} It is of another session, target or run, or the session has a working state already.
   */
  async restore(file: string, options?: Abortable): Promise<void> {
    await ask(now(() => this.#native.restore(textOf(file, 'file'))), options);
  }

  /** The same as `stop()`, and then the session may be begun anew. */
  async reset({ folder, signal }: ArchiveOptions = {}): Promise<string | null> {
    return ask(now(() => this.#native.reset(textOf(folder, 'folder'))), { signal });
  }

  /** Whether workers are at it, and, if it is to be `deep`, how far the work is. */
  async status(options: StatusOptions & { readonly deep: true }): Promise<DeepStatus>;
  async status(options?: StatusOptions & { readonly deep?: false | undefined }): Promise<Status>;
  async status(options?: StatusOptions): Promise<Status | DeepStatus>;
  async status({ deep = false, signal }: StatusOptions = {}): Promise<Status | DeepStatus> {
    return ask(deep ? this.#native.deepStatus() : this.#native.status(), { signal });
  }

  /** Ceilings of what each process that works on the run sends. */
  async limits(options?: Abortable): Promise<RateLimits> {
    return ask(this.#native.limits(), options);
  }

  /**
   * Changes both ceilings while it runs: here at once, in other processes that work on the run within some seconds.
   *
   * @throws {InvalidStateError} Nothing was planned.
   */
  async limit(limits: RateLimits, options?: Abortable): Promise<void> {
    await ask(now(() => this.#native.limit(write(limits))), options);
  }

  /** How many documents the target refused, and why. Those that were sent again with success do not count. */
  async failedSummary(options?: Abortable): Promise<FailedSummary> {
    return ask(this.#native.failedSummary(), options);
  }

  /** The documents that the target refused, with their bytes and its words. Nothing is read before the first one. */
  failedDocuments({ signal, ...filter }: FailedFilter & Abortable = {}): FailedDocuments {
    return new FailedDocuments(now(() => this.#native.failedDocuments(filtering(filter))), { signal });
  }

  /**
   * Sends failed documents again, to the index they were meant for. What is taken is none any more; what is refused again stays.
   * May be repeated.
   */
  async redrive({ signal, ...filter }: FailedFilter & Abortable = {}): Promise<Redriven> {
    return ask(now(() => this.#native.redrive(filtering(filter))), { signal });
  }

  /**
   * What was moved so far: of a run that is going on, has ended, or was stopped and archived. Its `markdown` is for people.
   *
   * @throws {NotFoundError} Nothing was begun under the session.
   */
  async report(options?: Abortable): Promise<Report> {
    return ask(this.#native.report(), options);
  }

  /**
   * Waits for the end of the run, and says how it ended.
   *
   * When the signal is aborted, it pauses the workers of this process before it throws: they write how far they are, and `start()`
   * goes on there. A fleet elsewhere goes on.
   *
   * @throws {CancelledError} The backfill was paused or stopped, or its transform threw, which is the `cause` then.
   * @throws {AbortError} The signal was aborted.
   */
  async wait(options?: Abortable): Promise<RunEnd> {
    try {
      return await pausing(this.#native, () => ask<RunEnd>(this.#native.wait(), options));
    } catch (error) {
      throw because(error, this.#thrown);
    }
  }

  /** What happens from now on. Ask for it before `start()` to miss nothing. An aborted signal pauses as that of `wait()` does. */
  events(options?: Abortable): Events {
    return new Events(this.#native.events(), this.#native, options);
  }

  /**
   * Starts, waits for the end, and says how the run ended, as `wait()` does.
   *
   * When the signal is aborted, or `onEvent` throws, it pauses the workers of this process before it throws: they write how far they
   * are, and another run goes on there. A fleet elsewhere goes on.
   */
  async run({ onEvent, signal }: RunOptions = {}): Promise<RunEnd> {
    const events = onEvent && this.events({ signal });
    try {
      await this.start({ signal });
      for await (const event of events ?? []) {
        await onEvent?.(event);
      }
      return await this.wait({ signal });
    } catch (error) {
      await ask(this.#native.interrupt());
      throw error;
    }
  }

  /** Pauses the backfill at the end of a block that declares it by `await using`, so that nothing is left running. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.pause();
  }

  /** Hears what happens from the first listener on. */
  #listen(name: string | symbol): void {
    if (OWN_NAMES.has(name)) {
      return;
    }
    this.#heard ??= this.events();
    void this.#tell();
  }

  #made(options: BackfillOptions): NativeBackfill {
    const ask = asking(options.transform, (error) => (this.#thrown = error));
    return options instanceof Configured
      ? native.Backfill.fromConfig(options.path, ask)
      : new native.Backfill(written(options), ask);
  }

  #begin(): void {
    this.#isRunning = true;
    void this.#tell();
  }

  /** Tells listeners what happens, until the workers are gone. */
  async #tell(): Promise<void> {
    if (this.#heard === undefined || !this.#isRunning || this.#isTelling) {
      return;
    }
    this.#isTelling = true;
    try {
      for await (const event of heard(this.#heard, (error) => this.#fail(error))) {
        super.emit(event.event, ...([event] as never));
        super.emit('event', event);
      }
    } finally {
      this.#isTelling = false;
      this.#isRunning = false;
    }
  }

  /** Tells of an error those who ask for errors: `wait()` fails with it as well, and an emitter's error must not end the process. */
  #fail(error: unknown): void {
    if (this.listenerCount('error') > 0) {
      super.emit('error', error);
    }
  }
}

/** The events until there are no more; what reading them fails with is told. A listener's own error is not caught. */
async function* heard(events: Events, fail: (error: unknown) => void): AsyncGenerator<Event, void, undefined> {
  const reading = events[Symbol.asyncIterator]();
  for (;;) {
    const next = await reading.next().catch(fail);
    if (next === undefined || next.done) {
      return;
    }
    yield next.value;
  }
}

/** Options as the native half takes them. */
function written(options: BackfillOptions): string {
  const { target, repository, snapshot, coordinator, fleet, indices, exclude, renamePatterns = [], transform: _, ...others } = options;
  const patterns = Array.isArray(renamePatterns) ? renamePatterns : Object.entries(renamePatterns);
  return write({
    target: addressOf(target, 'target'),
    targetOptions: clusterOptionsOf(target),
    coordinator: coordinator && addressOf(coordinator, 'coordinator'),
    coordinatorOptions: clusterOptionsOf(coordinator),
    repository: repository instanceof Repository ? repository.url : repository && placeOf(repository, 'repository'),
    repositoryOptions: repository instanceof Repository ? Repository.optionsOf(repository) : undefined,
    snapshot: snapshot instanceof Snapshot ? snapshot.name : snapshot,
    [fleet && 'deployment' in fleet ? 'kubernetes' : 'ecs']: fleet,
    indices: listOf(indices),
    exclude: listOf(exclude),
    renamePatterns: patterns.map(([pattern, replacement]) => ({ pattern, replacement })),
    ...others,
  });
}

/** An error of a run with what its transform threw as the cause, if that is why it ended. */
function because(error: unknown, thrown: unknown): unknown {
  if (thrown !== undefined && error instanceof CancelledError) {
    error.cause = thrown;
  }
  return error;
}

/** A filter as the native half takes it. */
function filtering({ indices, classes, ...others }: FailedFilter): string {
  return write({ indices: listOf(indices), classes: listOf(classes), ...others });
}

function addressOf(cluster: string | URL | Cluster, name: string): string {
  return cluster instanceof Cluster ? cluster.address : placeOf(cluster, name);
}

function clusterOptionsOf(cluster: string | URL | Cluster | undefined): object | undefined {
  return cluster instanceof Cluster ? Cluster.optionsOf(cluster) : undefined;
}

function listOf(names: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof names === 'string' ? [names] : names;
}
