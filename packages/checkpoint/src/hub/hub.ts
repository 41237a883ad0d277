import { failureOf, HubError } from './hub-error.ts';
import type { ResolvedHubOptions } from './hub-options.ts';
import type { HubPace } from './retrying.ts';

// As many as fetch follows itself is 20; a hub needs 2.
const MAX_REDIRECTS = 5;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

export interface HubRequest {
  /** From the base URL on, encoded. */
  readonly path: string;
  /** Names it in errors. */
  readonly what: string;
  readonly method?: 'GET' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether a redirect says enough, and is the answer. */
  readonly isAnswer?: (headers: Headers) => boolean;
  /** Statuses that are answers beside 2xx. */
  readonly statuses?: readonly number[];
}

/** A Hugging Face hub, or a mirror with the same paths. */
export class Hub {
  readonly pace: HubPace;
  readonly #base: URL;
  readonly #token: string | undefined;

  constructor({ hubUrl, hubToken }: Pick<ResolvedHubOptions, 'hubUrl' | 'hubToken'>, pace: HubPace) {
    this.#base = new URL(hubUrl);
    this.#token = hubToken;
    this.pace = pace;
  }

  get host(): string {
    return this.#base.host;
  }

  /**
   * One request, its redirects followed by hand: the token goes to the hub's own origin alone, and no redirect
   * leaves TLS. `read` gets the answer, and tells `heard` of every byte.
   *
   * @throws HubError, transient for what may pass: no connection, silence for `stallMs`, a status of 429 or 5xx.
   */
  async request<Result>(
    request: HubRequest,
    signal: AbortSignal | undefined,
    read: (response: Response, heard: () => void) => Promise<Result>,
  ): Promise<Result> {
    const stalled = new AbortController();
    const { stallMs } = this.pace;
    const timer = setTimeout(() => stalled.abort(), stallMs);
    const signals = signal === undefined ? [stalled.signal] : [stalled.signal, signal];
    try {
      const response = await this.#follow(request, AbortSignal.any(signals));
      try {
        return await read(response, () => timer.refresh());
      } finally {
        // What is not read must not hold the connection.
        if (!response.bodyUsed) await response.body?.cancel();
      }
    } catch (thrown) {
      if (stalled.signal.aborted) {
        throw new HubError(`${this.#base.host} sent nothing for ${stallMs} ms of ${request.what}`, {
          isTransient: true,
          cause: thrown,
        });
      }
      throw this.#networkFault(thrown, request.what);
    } finally {
      clearTimeout(timer);
    }
  }

  async #follow(request: HubRequest, signal: AbortSignal): Promise<Response> {
    const { path, what, method = 'GET', headers, isAnswer, statuses = [] } = request;
    let url = new URL(`${this.#base.href.replace(/\/$/, '')}/${path}`);
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
      const isHub = url.origin === this.#base.origin;
      const response = await fetch(url, {
        method,
        redirect: 'manual',
        signal,
        headers: {
          // A compressed answer has neither the size nor the ranges of the file.
          'accept-encoding': 'identity',
          'user-agent': 'embedfarm',
          ...headers,
          ...(isHub && this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
        },
      });
      const { status } = response;
      const location = REDIRECTS.includes(status) ? response.headers.get('location') : null;
      if (response.ok || statuses.includes(status) || (location !== null && isAnswer?.(response.headers))) {
        return response;
      }
      await response.body?.cancel();
      if (location === null) {
        const hasToken = this.#token !== undefined;
        throw failureOf({ status, headers: response.headers, what, host: url.host, isHub, hasToken });
      }
      url = redirected(url, location, what);
    }
    throw new HubError(`${url.host} redirects ${what} more than ${MAX_REDIRECTS} times`);
  }

  /** What fetch throws says nothing but "fetch failed"; its cause does. */
  #networkFault(thrown: unknown, what: string): unknown {
    if (!(thrown instanceof TypeError) || !(thrown.cause instanceof Error)) return thrown;
    const { message, code } = thrown.cause as NodeJS.ErrnoException;
    const reason = message || code || 'no connection';
    const fault = `${this.#base.host} cannot be reached for ${what}: ${reason}`;
    return new HubError(fault, { isTransient: true, cause: thrown });
  }
}

function redirected(from: URL, location: string, what: string): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  const isAllowed = to?.protocol === 'https:' || (to?.protocol === 'http:' && from.protocol === 'http:');
  if (to !== undefined && isAllowed) return to;
  throw new HubError(
    `${from.host} redirects ${what} to ${to?.protocol ?? 'what is no URL'}, which is not followed`,
  );
}
