/** What goes wrong, one class a kind. */

/** What an error says besides its kind and its text. */
export interface ErrorDetails {
  /** Whether the same call may succeed if made again later. */
  readonly retryable?: boolean;
  /** How many milliseconds the other side asks us to wait before the next try. */
  readonly retryAfter?: number | null;
  /** Where it happened, by name. */
  readonly context?: Readonly<Record<string, string>>;
}

/** The kinds of error, each one word that never changes. */
export type ErrorCode =
  | 'CONFIG'
  | 'AUTH'
  | 'NOT_FOUND'
  | 'UNAVAILABLE'
  | 'RATE_LIMITED'
  | 'CONFLICT'
  | 'LEASE_LOST'
  | 'CORRUPT'
  | 'UNSUPPORTED'
  | 'INCOMPLETE'
  | 'STATE'
  | 'CANCELLED'
  | 'IO'
  | 'UNEXPECTED';

/**
 * Anything that goes wrong in snapfill. Its text says what happened, to what, and what to do; its class and its `code` say what
 * kind of trouble it is.
 */
export class SnapfillError extends Error {
  /** The kind as one word, stable across releases. */
  readonly code: ErrorCode;
  /** Whether the same call may succeed if made again later. */
  readonly retryable: boolean;
  /** How many milliseconds the other side asks us to wait before the next try, where it says. */
  readonly retryAfter: number | null;
  /** Where it happened, by name: `file`, `shard`, `repository`, and so on. */
  readonly context: Readonly<Record<string, string>>;

  /** An error of a kind. */
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message);
    this.name = new.target.name;
    this.code = code;
    this.retryable = details.retryable ?? false;
    this.retryAfter = details.retryAfter ?? null;
    this.context = details.context ?? {};
  }
}

/** The settings are wrong or contradict each other: mend them. */
export class ConfigError extends SnapfillError {
  /** An error of this kind. */
  constructor(message: string, details?: ErrorDetails) {
    super('CONFIG', message, details);
  }
}

/** The other side does not know us or does not let us: check the credentials. */
export class AuthError extends SnapfillError {
  /** An error of this kind. */
  constructor(message: string, details?: ErrorDetails) {
    super('AUTH', message, details);
  }
}

/** What was named is not there: a repository, a snapshot, an index, a document. */
export class NotFoundError extends SnapfillError {
  /** An error of this kind. */
  constructor(message: string, details?: ErrorDetails) {
    super('NOT_FOUND', message, details);
  }
}

/** The other side cannot be reached or is not ready: try again later. */
export class UnavailableError extends SnapfillError {
  /** An error of this kind. */
  constructor(message: string, details?: ErrorDetails) {
    super('UNAVAILABLE', message, details);
  }
}

/** The other side asks us to slow down. */
export class RateLimitedError extends SnapfillError {
  /** An error of this kind. */
  constructor(message: string, details?: ErrorDetails) {
    super('RATE_LIMITED', message, details);
  }
}

/** Somebody else changed it first: read it again. */
export class ConflictError extends SnapfillError {
  /** An error of this kind. */
  constructor(message: string, details?: ErrorDetails) {
    super('CONFLICT', message, details);
  }
}

/** The lease ran out or went to another worker. */
export class LeaseLostError extends SnapfillError {
  /** An error of this kind. */
  constructor(message: string, details?: ErrorDetails) {
    super('LEASE_LOST', message, details);
  }
}

/** Bytes are not what their format says. */
export class CorruptError extends SnapfillError {
  /** An error of this kind. */
  constructor(message: string, details?: ErrorDetails) {
    super('CORRUPT', message, details);
  }
}

/** A format, version or feature that this build does not read. */
export class UnsupportedError extends SnapfillError {
  /** An error of this kind. */
  constructor(message: string, details?: ErrorDetails) {
    super('UNSUPPORTED', message, details);
  }
}

/** The books do not balance, or a snapshot lacks shards. */
export class IncompleteError extends SnapfillError {
  /** An error of this kind. */
  constructor(message: string, details?: ErrorDetails) {
    super('INCOMPLETE', message, details);
  }
}

/** Not allowed in the present state, for example a start after a stop. */
export class InvalidStateError extends SnapfillError {
  /** An error of this kind. */
  constructor(message: string, details?: ErrorDetails) {
    super('STATE', message, details);
  }
}

/** The work was asked to stop, for example by a pause while its end was waited for. */
export class CancelledError extends SnapfillError {
  /** An error of this kind. */
  constructor(message: string, details?: ErrorDetails) {
    super('CANCELLED', message, details);
  }
}

/** The operating system refused a read or a write: a full disk, a missing right. */
export class StorageError extends SnapfillError {
  /** An error of this kind. */
  constructor(message: string, details?: ErrorDetails) {
    super('IO', message, details);
  }
}

/** A defect of snapfill. Please report it. */
export class UnexpectedError extends SnapfillError {
  /** An error of this kind. */
  constructor(message: string, details?: ErrorDetails) {
    super('UNEXPECTED', message, details);
  }
}

/** The caller's `AbortSignal` ended the call. Its `cause` is the signal's reason. */
export class AbortError extends Error {
  /** As for every call of Node that a signal ends. */
  readonly code = 'ABORT_ERR';

  /** For the reason that the signal gives. */
  constructor(reason?: unknown) {
    super('the call was aborted', { cause: reason });
    this.name = 'AbortError';
  }
}

const KINDS: Readonly<Record<ErrorCode, new (message: string, details?: ErrorDetails) => SnapfillError>> = {
  CONFIG: ConfigError,
  AUTH: AuthError,
  NOT_FOUND: NotFoundError,
  UNAVAILABLE: UnavailableError,
  RATE_LIMITED: RateLimitedError,
  CONFLICT: ConflictError,
  LEASE_LOST: LeaseLostError,
  CORRUPT: CorruptError,
  UNSUPPORTED: UnsupportedError,
  INCOMPLETE: IncompleteError,
  STATE: InvalidStateError,
  CANCELLED: CancelledError,
  IO: StorageError,
  UNEXPECTED: UnexpectedError,
};

/** What the native half tells of an error. */
interface Told extends ErrorDetails {
  readonly name: string;
  readonly code?: ErrorCode;
  readonly message: string;
}

/** The error that people get for one of the native half. */
export function told(error: unknown, signal?: AbortSignal): unknown {
  if (!(error instanceof Error) || !error.message.startsWith('{')) {
    return error;
  }
  const said = JSON.parse(error.message) as Told;
  switch (said.name) {
    case 'TypeError':
      return new TypeError(said.message);
    case 'RangeError':
      return new RangeError(said.message);
    case 'AbortError':
      return new AbortError(signal?.reason);
    default:
      return new KINDS[said.code ?? 'UNEXPECTED'](said.message, said);
  }
}
