import type { Lane } from '@embedfarm/contract';

/** Jobs that wait, by lane. */
export type Backlog = Record<Lane, number>;

/** One second of the farm. */
export interface StatsPoint {
  /** Redis time, in s since 1970. */
  readonly second: number;
  readonly texts: number;
  readonly tokens: number;
  readonly failed: number;
  /** num_client; as the two below null where nobody looked in this second, which is not the same as none. */
  readonly clients: number | null;
  readonly backlog: Backlog | null;
  /** Age of the oldest job that was found waiting, in any lane; 0 where none waits. */
  readonly oldestMs: number | null;
  /** Workers that ended a text in it. */
  readonly busyWorkers: number;
  /** Texts by worker id; of a farm of more than a hundred, of 16 workers. */
  readonly workers: Record<string, number>;
}
