/** Every way a call can fail. The code decides the HTTP status and whether another attempt may help. */
export const FARM_ERROR_CODES = {
  /** The caller's fault: the message names the field, what was got and the limit. */
  invalid_argument: { httpStatus: 400, retryable: false },
  /** No worker ever registered this model. */
  model_not_found: { httpStatus: 404, retryable: false },
  /** The name now stands for other weights or settings than the request was pinned to. */
  model_changed: { httpStatus: 409, retryable: false },
  /** A text has more tokens than the model takes, and `truncate` is `error`. */
  sequence_too_long: { httpStatus: 400, retryable: false },
  /** Some texts failed; the error carries the good rows and the failures. */
  texts_failed: { httpStatus: 422, retryable: false },
  /** The farm holds as much as it may; come back later. */
  overloaded: { httpStatus: 429, retryable: true },
  /** The caller, or another process in its name, took the request back. */
  cancelled: { httpStatus: 499, retryable: false },
  /** Not done by the deadline. */
  deadline_exceeded: { httpStatus: 504, retryable: false },
  /** The model is known, but no worker serves it now. */
  no_worker: { httpStatus: 503, retryable: true },
  /** The result was kept for its time and is gone. */
  result_expired: { httpStatus: 410, retryable: false },
  /** A device thread died under the batch. */
  device_lost: { httpStatus: 503, retryable: true },
  /** The device had too little memory for the smallest batch. */
  out_of_memory: { httpStatus: 503, retryable: true },
  /** Redis does not answer. */
  redis_unavailable: { httpStatus: 503, retryable: true },
  /** The key is missing or wrong. */
  unauthenticated: { httpStatus: 401, retryable: false },
  /** A fault of the farm itself. */
  internal: { httpStatus: 500, retryable: true },
} as const satisfies Record<string, { httpStatus: number; retryable: boolean }>;

export type FarmErrorCode = keyof typeof FARM_ERROR_CODES;

export interface FarmErrorOptions extends ErrorOptions {
  /** When another attempt may help, in ms from now; told with `overloaded`. */
  readonly retryAfterMs?: number | undefined;
}

/** The one error class of the farm. The message says what, what was got, and the limit. */
export class FarmError extends Error {
  override readonly name: string = 'FarmError';
  readonly code: FarmErrorCode;
  /** When another attempt may help, in ms from the throw, where that is known. */
  readonly retryAfterMs: number | undefined;

  constructor(code: FarmErrorCode, message: string, options?: FarmErrorOptions) {
    super(`[${code}] ${message}`, options);
    this.code = code;
    this.retryAfterMs = options?.retryAfterMs;
  }

  /** Whether the same job may succeed on another attempt. */
  get retryable(): boolean {
    return FARM_ERROR_CODES[this.code].retryable;
  }

  /** The message without its `[code]`. */
  get detail(): string {
    return this.message.slice(this.code.length + 3);
  }

  /** Any thrown value as a FarmError; one that is none becomes `internal`, with its cause kept. */
  static from(thrown: unknown): FarmError {
    if (isFarmError(thrown)) return thrown;
    return new FarmError('internal', messageOf(thrown), { cause: thrown });
  }
}

function isFarmError(thrown: unknown): thrown is FarmError {
  try {
    return thrown instanceof FarmError;
  } catch {
    // A proxy may throw when it is asked what it is.
    return false;
  }
}

/** Most characters that are told of a value that somebody threw. */
const MAX_MESSAGE_LENGTH = 2_000;

/** What a thrown value says. Anything may be thrown, and some of it throws when it is looked at. */
export function messageOf(thrown: unknown): string {
  try {
    const said = String(thrown instanceof Error ? thrown.message : thrown);
    return said.length > MAX_MESSAGE_LENGTH ? `${said.slice(0, MAX_MESSAGE_LENGTH)}…` : said;
  } catch {
    return `a thrown ${typeof thrown} that cannot be read`;
  }
}

/** A code read from a wire; one this version does not know counts as `internal`. */
export function parseFarmErrorCode(code: unknown): FarmErrorCode {
  return typeof code === 'string' && Object.hasOwn(FARM_ERROR_CODES, code)
    ? (code as FarmErrorCode)
    : 'internal';
}
