import { textOf } from './arguments.js';
import { now } from './crossing.js';
import type { LogRecord } from './model.js';
import { native } from './native.js';

/** Who is told of what snapfill logs. */
export type Logger = (record: LogRecord) => void;

/** Which records a logger is told of. */
export interface LoggerOptions {
  /**
   * From which level on, for each part: `'debug'`, or `'snapfill=debug,hyper=warn'`; left out: what the environment's `SNAPFILL_LOG`
   * says, or else `'snapfill=info'`.
   */
  readonly filter?: string | undefined;
}

/**
 * Has a function told of what snapfill logs from now on, in place of the one before; `null` tells nobody, as at the beginning. It is
 * called from the event loop, shortly after, and keeps no process alive.
 *
 * ```js
 * setLogger(({ level, target, message, fields }) => logger[level]({ target, ...fields }, message));
 * ```
 *
 * @throws {ConfigError} The filter cannot be understood.
 */
export function setLogger(logger: Logger | null, { filter }: LoggerOptions = {}): void {
  if (logger === null) {
    native.logToNobody();
    return;
  }
  if (typeof logger !== 'function') {
    throw new TypeError(`logger: expected a function or null, not ${String(logger)}`);
  }
  now(() => native.logTo((record) => logger(recordOf(record)), textOf(filter, 'filter')));
}

function recordOf(text: string): LogRecord {
  const { fields, ...record } = JSON.parse(text) as LogRecord & { readonly fields: string };
  return { ...record, fields: JSON.parse(fields) as LogRecord['fields'] };
}
