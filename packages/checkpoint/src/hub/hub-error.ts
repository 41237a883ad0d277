import { FarmError } from '@embedfarm/contract';

/** An exchange with a hub that failed: no answer, or another one than was asked for. */
export class HubError extends FarmError {
  /** Whether the same may go well a little later. */
  readonly isTransient: boolean;

  /** `retryAfterMs`: how long the hub wants to be left alone. */
  constructor(
    message: string,
    {
      isTransient = false,
      retryAfterMs,
      cause,
    }: { isTransient?: boolean; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super('invalid_argument', message, { retryAfterMs, ...(cause === undefined ? {} : { cause }) });
    this.isTransient = isTransient;
  }
}

export interface HubFailure {
  readonly status: number;
  readonly headers: Headers;
  /** `org/name@revision`, or a file of it. */
  readonly what: string;
  /** Who answered: the hub, or the host that it redirected to. */
  readonly host: string;
  readonly isHub: boolean;
  readonly hasToken: boolean;
}

/**
 * What an HTTP status says of a model. The hub answers 401 for a model that does not exist too, unless it knows
 * who asks. Source: hf_raise_for_status in huggingface_hub, src/huggingface_hub/utils/_http.py.
 */
export function failureOf({ status, headers, what, host, isHub, hasToken }: HubFailure): HubError {
  const code = headers.get('x-error-code');
  const retryAfterMs = readRetryAfter(headers, Date.now());
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    return new HubError(`${host} answered ${status} for ${what}`, { isTransient: true, retryAfterMs });
  }
  // A signed address is good for some time only; the next attempt gets another.
  if (!isHub) return new HubError(`${host} answered ${status} for ${what}`, { isTransient: status === 403 });
  if (status === 404) {
    const fault = code === 'RevisionNotFound' ? 'has no such revision:' : 'does not have';
    return new HubError(`${host} ${fault} ${what}`);
  }
  if (status !== 401 && status !== 403) return new HubError(`${host} answered ${status} for ${what}`);
  if (hasToken) return new HubError(`${host} does not give ${what} to the owner of this token (${status})`);
  const unlessUnknown = status === 401 && code !== 'GatedRepo' ? 'does not have it, or ' : '';
  return new HubError(
    `${host} does not give ${what} (${status}): it ${unlessUnknown}wants a token, in HF_TOKEN or EMBEDFARM_HUB_TOKEN`,
  );
}

/** `Retry-After` in seconds or as a date, or the hub's own `RateLimit: "api";r=0;t=55`. */
export function readRetryAfter(headers: Headers, nowMs: number): number | undefined {
  const seconds = /;\s*r=0\s*;\s*t=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1];
  const after = seconds ?? headers.get('retry-after');
  if (after === null) return undefined;
  if (/^\d+$/.test(after)) return Number(after) * 1_000;
  const date = Date.parse(after);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
