import { textOf } from './arguments.js';
import { type Abortable, ask, now, write } from './crossing.js';
import type { ClusterHealth, ClusterInfo, IndexRow } from './model.js';
import { type NativeCluster, native } from './native.js';
import type { ClusterOptions } from './options.js';
import { placeOf } from './repository.js';

/** A search cluster at an address, or the local one in a folder. Nothing is reached before it is asked for something. */
export class Cluster {
  /** The address as it was given. */
  readonly address: string;
  readonly #options: ClusterOptions;
  readonly #native: NativeCluster;

  /** The cluster at an `http://` or `https://` address without credentials, or in a folder. A folder takes no options. */
  constructor(address: string | URL, options: ClusterOptions = {}) {
    this.address = placeOf(address, 'address');
    this.#options = options;
    this.#native = now(() => new native.Cluster(this.address, write(options)));
  }

  /** @internal */
  static optionsOf(cluster: Cluster): ClusterOptions {
    return cluster.#options;
  }

  /**
   * Who it is.
   *
   * @throws {UnavailableError} It cannot be reached.
   * @throws {AuthError} It does not let us in.
   * @throws {NotFoundError} The folder holds none.
   */
  async info(options?: Abortable): Promise<ClusterInfo> {
    return ask(this.#native.info(), options);
  }

  /** How it fares. */
  async health(options?: Abortable): Promise<ClusterHealth> {
    return ask(this.#native.health(), options);
  }

  /** The indices it has, ordered by name. */
  async indices(options?: Abortable): Promise<IndexRow[]> {
    return ask(this.#native.indices(), options);
  }

  /**
   * How many documents an index shows.
   *
   * @throws {NotFoundError} There is no such index.
   */
  async count(index: string, options?: Abortable): Promise<number> {
    return ask(now(() => this.#native.count(textOf(index, 'index'))), options);
  }

  /** Makes what was written visible to `count()` and searches. */
  async refresh(index: string, options?: Abortable): Promise<void> {
    await ask(now(() => this.#native.refresh(textOf(index, 'index'))), options);
  }
}
