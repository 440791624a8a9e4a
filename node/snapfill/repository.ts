import { fileURLToPath } from 'node:url';

import { numberOf, textOf } from './arguments.js';
import { type Abortable, ask, now, write } from './crossing.js';
import { Documents } from './documents.js';
import type { IndexInfo, SnapshotInfo, SnapshotSummary } from './model.js';
import { type NativeRepository, type NativeSnapshot, native } from './native.js';
import type { RepositoryOptions } from './options.js';

/** A path or a URL as text; `name` is the argument's. */
export function placeOf(place: string | URL, name: string): string {
  if (place instanceof URL) {
    return place.protocol === 'file:' ? fileURLToPath(place) : place.href;
  }
  if (typeof place !== 'string') {
    throw new TypeError(`${name}: expected a path or a URL, not ${String(place)}`);
  }
  return place;
}

/** A snapshot repository: a folder, or a URL. Nothing is read before it is asked for something. */
export class Repository {
  /** The path or URL as it was given. */
  readonly url: string;
  readonly #options: RepositoryOptions;
  readonly #native: NativeRepository;

  /** The repository at a place. */
  constructor(url: string | URL, options: RepositoryOptions = {}) {
    this.url = placeOf(url, 'url');
    this.#options = options;
    this.#native = now(() => new native.Repository(this.url, write(options)));
  }

  /** @internal */
  static optionsOf(repository: Repository): RepositoryOptions {
    return repository.#options;
  }

  /**
   * Its snapshots, in the order of the catalogue.
   *
   * @throws {NotFoundError} There is no repository.
   * @throws {UnsupportedError} Its location or layout is not read.
   * @throws {CorruptError} Its catalogue cannot be understood.
   */
  async snapshots(options?: Abortable): Promise<SnapshotSummary[]> {
    return ask(this.#native.snapshots(), options);
  }

  /** The snapshot of that name. Nothing is read before it is asked for something. */
  snapshot(name: string): Snapshot {
    return new Snapshot(name, now(() => this.#native.snapshot(textOf(name, 'name'))));
  }
}

/** Which documents, and what may end their reading. */
export interface DocumentsOptions extends Abortable {
  /** The index's name; left out: all of them. */
  readonly index?: string | undefined;
  /** The shard's number within its index; left out: all of them. */
  readonly shard?: number | undefined;
}

/** One snapshot of a repository. */
export class Snapshot {
  /** Its name. */
  readonly name: string;
  readonly #native: NativeSnapshot;

  /** @internal */
  constructor(name: string, native: NativeSnapshot) {
    this.name = name;
    this.#native = native;
  }

  /**
   * What it says of itself.
   *
   * @throws {NotFoundError} There is no such snapshot; the text has the names there are.
   * @throws {IncompleteError} It is PARTIAL, and that was not allowed.
   * @throws {InvalidStateError} It failed, or was not finished.
   */
  async info(options?: Abortable): Promise<SnapshotInfo> {
    return ask(this.#native.info(), options);
  }

  /** Its indices with their settings, mappings and aliases, ordered by name. */
  async indices(options?: Abortable): Promise<IndexInfo[]> {
    return ask(this.#native.indices(), options);
  }

  /**
   * The documents of all indices or of one, of all their shards or of those with one number. Nothing is read before the first
   * document is asked for.
   */
  documents({ index, shard, signal }: DocumentsOptions = {}): Documents {
    return new Documents(now(() => this.#native.documents(textOf(index, 'index'), numberOf(shard, 'shard'))), { signal });
  }
}
