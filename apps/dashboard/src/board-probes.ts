import type { Probed, Readiness } from '@embedfarm/service/probe';
import type { Board } from './board.ts';
import { FarmMetrics } from './farm-metrics.ts';

/** `/metrics` and `/readyz` of the dashboard: the farm as the board saw it last, so that no scrape waits for Redis. */
export class BoardProbes implements Probed {
  readonly #board: Pick<Board, 'state' | 'queueMetrics'>;
  readonly #metrics = new FarmMetrics();

  constructor(board: Pick<Board, 'state' | 'queueMetrics'>) {
    this.#board = board;
  }

  async metrics(): Promise<string> {
    const queues = await this.#board.queueMetrics();
    return (await this.#metrics.text(this.#board.state)) + queues;
  }

  /** Without Redis there is nothing to show, though the page says so. */
  async readiness(): Promise<Readiness> {
    const { redis, redisSinceMs } = this.#board.state;
    if (redis === 'up') return { ready: true };
    const message = `Redis does not answer since ${new Date(redisSinceMs).toISOString()}`;
    return { ready: false, reason: 'redis_unavailable', message };
  }
}
