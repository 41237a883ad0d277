import { Producer, requestEtaMs, type RetriedRequest } from '@embedfarm/farm/producer';

/** What an action waits for at most: finding the texts of a large request, and sending them. */
const ACTION_TIMEOUT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 5_000;

/** A request after its cancellation. */
export interface CancelledRequest {
  readonly requestId: string;
  readonly state: string;
  readonly texts: number;
  readonly textsDone: number;
  readonly etaMs: number | undefined;
}

/** What a person may do to the farm from its board. */
export interface FarmActions {
  /** @throws FarmError `result_expired` where there is no such request (any more). */
  cancel(requestId: string): Promise<CancelledRequest>;
  /** @throws FarmError that says why there is nothing to submit again, or no room for it. */
  retry(requestId: string): Promise<RetriedRequest>;
}

/**
 * Each action by a producer of its own, which does it as any web app's would, so that nothing of the farm's counts is
 * passed by. It is open for as long as the action takes: the board itself is no client.
 */
export function producerActions(farm: { redis: string; prefix?: string | undefined }): FarmActions {
  const options = { ...farm, timeoutMs: CONNECT_TIMEOUT_MS };
  const act = async <Result>(action: (producer: Producer) => Promise<Result>): Promise<Result> => {
    const producer = await Producer.open(options);
    try {
      return await action(producer);
    } finally {
      await producer.close();
    }
  };
  return {
    cancel: (requestId) =>
      act(async ({ requests }) => {
        const record = await requests.cancel(requestId);
        const { state, texts, textsDone } = record;
        return { requestId, state, texts, textsDone, etaMs: requestEtaMs(record) };
      }),
    retry: (requestId) => act(({ requests }) => requests.retry(requestId, { timeoutMs: ACTION_TIMEOUT_MS })),
  };
}
