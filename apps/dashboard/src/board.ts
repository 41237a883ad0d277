import { FarmError } from '@embedfarm/contract';
import type { Logger } from '@embedfarm/service/logger';
import { CHART_MINUTES, mergeParts } from './board-parts.ts';
import { blankBoardState, type BoardState } from './board-state.ts';
import { FaultLog } from './fault-log.ts';
import type { FarmView } from './farm-view.ts';
import { FollowedWorkers } from './followed-workers.ts';
import { mergeHistory, secondsToRead } from './history.ts';
import { PartSchedule } from './part-schedule.ts';
import { readBoard } from './read-board.ts';
import { SilentWorkers } from './silent-workers.ts';
import { throughputByClients } from './throughput-by-clients.ts';
import { withinDeadline } from './within-deadline.ts';

/** A scrape is small, and its scraper has a deadline of its own: 10 s by default. */
const QUEUES_DEADLINE_MS = 1_000;
/** How long Redis may take before the board says that it does not answer. A fork for a snapshot takes about 1 s. */
const UPDATE_DEADLINE_MS = 3_000;
const CLOSE_DEADLINE_MS = 2_000;

export interface BoardOptions {
  /** Opens a view of the farm; called again after each failure. The signal ends a try that is of no use any more. */
  readonly openView: (signal: AbortSignal) => Promise<FarmView>;
  readonly logger?: Logger | undefined;
}

/**
 * What every viewer sees, read once for all of them. A view that fails or hangs is
 * thrown away and the next update opens a new one, so the board outlives any Redis.
 */
export class Board {
  readonly #openView: BoardOptions['openView'];
  readonly #logger: Logger | undefined;
  /** Aborted by `close`. */
  readonly #end = new AbortController();
  /** Closes under way, of views that failed. */
  readonly #leaving = new Set<Promise<void>>();
  #schedule = new PartSchedule();
  readonly #faults: FaultLog;
  readonly #followed = new FollowedWorkers();
  readonly #silent = new SilentWorkers();
  #view: FarmView | undefined;
  #state: BoardState = blankBoardState(Date.now());
  #lastReadMs: number | undefined;
  /** What the log was told last. */
  #told: BoardState['redis'] | undefined;
  #updating: Promise<BoardState> | undefined;
  #closing: Promise<void> | undefined;

  private constructor({ openView, logger }: BoardOptions) {
    this.#openView = openView;
    this.#logger = logger;
    this.#faults = new FaultLog(logger);
  }

  /**
   * After the first update, with or without Redis.
   *
   * @throws FarmError `invalid_argument` when no Redis could ever be reached that way.
   */
  static async open(options: BoardOptions): Promise<Board> {
    const board = new Board(options);
    await board.update();
    return board;
  }

  get state(): BoardState {
    return this.#state;
  }

  /** Samples and reads the farm once; a call during an update gets that update. */
  update(): Promise<BoardState> {
    if (this.#closing) return Promise.resolve(this.#state);
    this.#updating ??= this.#update().finally(() => {
      this.#updating = undefined;
    });
    return this.#updating;
  }

  /** What BullMQ tells of the queues, asked now; empty where Redis does not answer in time. */
  async queueMetrics(): Promise<string> {
    const { redis, status } = this.#state;
    const view = this.#view;
    if (!view || !status || redis === 'down') return '';
    const asked = view.queueMetrics(status.models.map(({ model }) => model));
    const signal = this.#end.signal;
    return await withinDeadline('the queues', asked, { deadlineMs: QUEUES_DEADLINE_MS, signal }).catch(
      () => '',
    );
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #update(): Promise<BoardState> {
    try {
      const view = (this.#view ??= await this.#open());
      await this.#inTime('an update from Redis', this.#read(view));
    } catch (error) {
      if (this.#closing) return this.#state;
      if (error instanceof FarmError && error.code === 'invalid_argument') throw error;
      this.#lose(FarmError.from(error));
    }
    return this.#state;
  }

  async #open(): Promise<FarmView> {
    const deadline = AbortSignal.timeout(UPDATE_DEADLINE_MS);
    const opening = this.#openView(AbortSignal.any([this.#end.signal, deadline]));
    try {
      return await this.#inTime('the connection to Redis', opening);
    } catch (error) {
      this.#leave(opening);
      throw error;
    }
  }

  #inTime<T>(what: string, work: Promise<T>): Promise<T> {
    return withinDeadline(what, work, { deadlineMs: UPDATE_DEADLINE_MS, signal: this.#end.signal });
  }

  async #read(view: FarmView): Promise<void> {
    const nowMs = Date.now();
    const seconds = secondsToRead(this.#lastReadMs, nowMs);
    const due = this.#schedule.take(nowMs);
    // A minute is told to its end, and the one before it may still be.
    const minutes = Math.min(CHART_MINUTES, Math.ceil(seconds / 60) + 1);
    const outcomes = new Map<string, unknown>();
    const read = await readBoard(view, { seconds, minutes, due }, (what, fault) => outcomes.set(what, fault));
    // A read that comes after its deadline belongs to a view that was thrown away.
    if (view !== this.#view) return;
    this.#faults.tell(outcomes);
    const known = this.#state;
    const fresh = this.#followed.cut(read.series);
    const history = mergeHistory(known.history, fresh);
    const update = known.update + 1;
    const parts = {
      ...read.parts,
      ...(due.includes('byClients') && { byClients: throughputByClients(history) }),
    };
    if (this.#told === 'down') this.#logger?.info('dashboard: Redis answers again');
    this.#told = 'up';
    // Where Redis' clock was set back, what is known of the time before is read again.
    const isSetBack = (fresh.at(-1)?.second ?? 0) < (known.history.at(-1)?.second ?? 0);
    this.#lastReadMs = isSetBack ? undefined : nowMs;
    this.#state = {
      redis: 'up',
      redisSinceMs: known.redis === 'up' ? known.redisSinceMs : nowMs,
      updatedAtMs: nowMs,
      update,
      workers: this.#silent.hear(read.status.workers, nowMs),
      status: read.status,
      waiting: read.waiting,
      history,
      fresh,
      parts: mergeParts(known.parts, parts, { update, second: history.at(-1)?.second ?? 0 }),
    };
  }

  #lose(error: FarmError): void {
    const nowMs = Date.now();
    if (this.#told !== 'down') {
      this.#logger?.warn(`dashboard: Redis does not answer, trying again every second: ${error.message}`);
    }
    this.#told = 'down';
    const redisSinceMs = this.#state.redis === 'up' ? nowMs : this.#state.redisSinceMs;
    const update = this.#state.update + 1;
    this.#state = { ...this.#state, redis: 'down', redisSinceMs, updatedAtMs: nowMs, update, fresh: [] };
    if (this.#view) this.#leave(Promise.resolve(this.#view));
    this.#view = undefined;
    // The next view reads everything.
    this.#schedule = new PartSchedule();
  }

  /** Closes a view nobody waits for, even one that is yet to open. */
  #leave(view: Promise<FarmView>): void {
    const leaving = view
      .then((opened) => opened.close())
      .catch(() => undefined)
      .finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  async #close(): Promise<void> {
    this.#end.abort();
    await this.#updating?.catch(() => undefined);
    if (this.#view) this.#leave(Promise.resolve(this.#view));
    this.#view = undefined;
    // A Redis that is gone cannot say goodbye.
    const leaving = Promise.all(this.#leaving);
    await withinDeadline('closing', leaving, { deadlineMs: CLOSE_DEADLINE_MS }).catch(() => undefined);
  }
}
