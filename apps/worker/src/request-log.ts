import type { RequestEnd } from '@embedfarm/farm/worker';
import type { JobLogger } from './job-log.ts';

/** Requests of one look, a second, that have a line of their own. */
const MAX_LINES = 100;
/** The SDK takes labels up to this; a record may hold what was put there by hand. */
const MAX_LABEL_LENGTH = 200;
/** What would break a line, or move a terminal's cursor. */
const BREAKING = /[\p{Cc}\u2028\u2029]/gu;

/**
 * One line for each submitted request that has ended, at `info`: its totals and how it ended; never a text or a vector.
 * Of more than 100 in a second the rest shares one line.
 */
export class RequestLog {
  readonly #logger: JobLogger;

  constructor(logger: JobLogger) {
    this.#logger = logger;
  }

  requestsEnded(ends: readonly RequestEnd[]): void {
    for (const end of ends.slice(0, MAX_LINES)) this.#logger.info(lineOf(end), 'request');
    const rest = ends.slice(MAX_LINES);
    if (rest.length > 0) this.#logger.info(sumsOf(rest), 'more requests of a second');
  }
}

function lineOf(end: RequestEnd): Record<string, unknown> {
  const { requestId, label, model, lane, state, chunks, texts, done, failed, tokens, waitMs, totalMs } = end;
  return {
    requestId,
    label: label?.slice(0, MAX_LABEL_LENGTH).replace(BREAKING, '\u{FFFD}'),
    model,
    lane,
    state,
    chunks,
    texts,
    done,
    failed,
    tokens,
    waitSeconds: waitMs === undefined ? undefined : waitMs / 1_000,
    seconds: totalMs / 1_000,
  };
}

function sumsOf(ends: readonly RequestEnd[]): Record<string, unknown> {
  const sum = (read: (end: RequestEnd) => number): number =>
    ends.reduce((total, end) => total + read(end), 0);
  const states: Record<string, number> = {};
  for (const { state } of ends) states[state] = (states[state] ?? 0) + 1;
  return {
    requests: ends.length,
    texts: sum(({ texts }) => texts),
    done: sum(({ done }) => done),
    failed: sum(({ failed }) => failed),
    tokens: sum(({ tokens }) => tokens),
    maxSeconds: Math.max(...ends.map(({ totalMs }) => totalMs)) / 1_000,
    states,
  };
}
