import { FarmError } from '@embedfarm/contract';
import type { ModelRegistry } from '../redis/model-registry.ts';
import { withDeadline } from '../redis/with-deadline.ts';

/** Longest a producer asks Redis why a call got nothing. */
const DEADLINE_FAULT_MS = 1_000;

/** What a producer knows of its farm when a call's time is over. */
export interface DeadlinePorts {
  readonly registry: ModelRegistry;
  readonly isReady: () => boolean;
  readonly nowMs: () => number;
  readonly redisFault: () => FarmError;
}

/** Why a call got nothing by its deadline: no Redis, no room (`refusal`), no worker, or too much work. */
export async function deadlineFault(
  model: string,
  refusal: FarmError | undefined,
  { registry, isReady, nowMs, redisFault }: DeadlinePorts,
): Promise<FarmError> {
  if (!isReady()) return redisFault();
  if (refusal) return refusal;
  const workers = await withDeadline(
    registry.countWorkers(model, nowMs()),
    { timeoutMs: DEADLINE_FAULT_MS },
    redisFault,
  ).catch(() => undefined);
  if (workers === undefined) return redisFault();
  if (workers === 0) return new FarmError('no_worker', `no worker serves the model "${model}" now`);
  return new FarmError('deadline_exceeded', `not done in time; ${workers} workers serve "${model}"`);
}
