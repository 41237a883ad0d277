import type { FailureRow } from './failure-row.ts';
import { clientDies, clientDiesSubmitting } from './rows/client-dies.ts';
import { clientClockAhead, retryClockAhead, workerClockAhead } from './rows/clock-ahead.ts';
import { connectionsForgotten } from './rows/connections-forgotten.ts';
import { deviceDies } from './rows/device-dies.ts';
import { loopStalled } from './rows/loop-stalled.ts';
import { redisFull } from './rows/redis-full.ts';
import { redisKilled } from './rows/redis-killed.ts';
import { allCutOff, clientCutOff, workerCutOff } from './rows/redis-unreachable.ts';
import { onlyWorkerKilled, workerKilled } from './rows/worker-killed.ts';
import { workerToldToStop } from './rows/worker-told-to-stop.ts';

/** Every event that is tested, in the order of docs/failure.md. */
export const ALL_ROWS: readonly FailureRow[] = [
  workerKilled,
  onlyWorkerKilled,
  workerToldToStop,
  loopStalled,
  redisKilled,
  clientCutOff,
  workerCutOff,
  allCutOff,
  connectionsForgotten,
  redisFull,
  clientDies,
  clientDiesSubmitting,
  deviceDies,
  workerClockAhead,
  clientClockAhead,
  retryClockAhead,
];
