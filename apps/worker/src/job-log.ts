import type { JobEnd } from '@embedfarm/farm/worker';
import type { Logger } from '@embedfarm/service/logger';

/** What of a logger is used. */
export type JobLogger = Pick<Logger, 'isLevelEnabled'> & { info(fields: object, message: string): void };

/**
 * Jobs of a second that have a line of their own. Of the 180 µs that a worker spends on a job of one text, besides
 * encoding it, a line for each is 5 % (measured with 2,000 jobs a second); those above this cost 0.2 µs each.
 */
const MAX_LINES = 100;
const SECOND_MS = 1_000;

/** What jobs share a line with others. */
interface Sums {
  jobs: number;
  texts: number;
  tokens: number;
  failed: number;
  maxTotalMs: number;
  readonly outcomes: Record<string, number>;
}

/**
 * One line for each job at `info`: what it was, how it ended, where the time went; never a text or a vector. Of a
 * second with more than 100 jobs the rest shares one line, written when the next second's first job ends, or at close.
 */
export class JobLog {
  readonly #logger: JobLogger;
  readonly #now: () => number;
  #secondEndMs = 0;
  #lines = 0;
  #rest: Sums | undefined;

  /** `now` gives ms. */
  constructor(logger: JobLogger, now: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#now = now;
  }

  jobEnded(end: JobEnd): void {
    if (!this.#logger.isLevelEnabled('info')) return;
    const nowMs = this.#now();
    if (nowMs >= this.#secondEndMs) {
      this.close();
      this.#secondEndMs = nowMs + SECOND_MS;
      this.#lines = 0;
    }
    if (this.#lines < MAX_LINES) {
      this.#lines += 1;
      this.#logger.info(lineOf(end), 'job');
    } else this.#add(end);
  }

  /** Writes what is left. */
  close(): void {
    const rest = this.#rest;
    if (!rest) return;
    this.#rest = undefined;
    const { maxTotalMs, ...counts } = rest;
    this.#logger.info({ ...counts, maxTotalMs: rounded(maxTotalMs) }, 'more jobs of a second');
  }

  #add(end: JobEnd): void {
    const rest = (this.#rest ??= { jobs: 0, texts: 0, tokens: 0, failed: 0, maxTotalMs: 0, outcomes: {} });
    rest.jobs += 1;
    rest.texts += end.texts;
    rest.tokens += end.tokens;
    rest.failed += failedOf(end);
    rest.maxTotalMs = Math.max(rest.maxTotalMs, end.totalMs);
    rest.outcomes[end.outcome] = (rest.outcomes[end.outcome] ?? 0) + 1;
  }
}

function lineOf(end: JobEnd): Record<string, unknown> {
  const { requestId, chunkIndex, lane, outcome, code, texts, tokens, timing } = end;
  return {
    requestId,
    chunk: chunkIndex,
    lane,
    outcome,
    // Of a job that ended well, why some texts have no vector.
    code: code ?? end.failures[0]?.code,
    texts,
    tokens,
    failed: failedOf(end),
    queueMs: rounded(timing.queueMs),
    deviceMs: rounded(timing.deviceMs),
    totalMs: rounded(end.totalMs),
  };
}

function failedOf({ failures }: JobEnd): number {
  return failures.reduce((sum, { texts }) => sum + texts, 0);
}

/** To a tenth. */
function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
