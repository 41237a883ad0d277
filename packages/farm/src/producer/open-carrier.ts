import type { EncodeRequest, FarmError, ModelRegistration } from '@embedfarm/contract';
import { sharedTerms } from './coalesce.ts';
import { MAX_PATIENCE_MS, type CallOptions } from './encode-call.ts';
import type { EnqueuePorts } from './enqueue.ts';
import { ResumableCarrier } from './resumable-carrier.ts';
import { QueueCarrier, type StreamCarrier } from './stream-carrier.ts';
import type { StreamOptions } from './stream-options.ts';

/**
 * A stream's way to the workers: bulk, unless it says otherwise.
 *
 * @throws FarmError `invalid_argument` when the model cannot do what is asked for.
 */
export function openCarrier(
  request: EncodeRequest,
  registration: ModelRegistration,
  { id }: StreamOptions,
  { timeoutMs = MAX_PATIENCE_MS, whenOverloaded = 'wait', trace }: CallOptions,
  ports: EnqueuePorts,
  deadlineFault: (refusal: FarmError | undefined) => Promise<FarmError>,
): StreamCarrier {
  const terms = sharedTerms({ ...request, lane: request.lane ?? 'bulk' }, registration, 0);
  const carried = { patienceMs: timeoutMs, whenOverloaded, trace, deadlineFault };
  return id === undefined
    ? new QueueCarrier(terms, ports, carried)
    : new ResumableCarrier(id, terms, ports, carried);
}
