import { FarmError, MAX_CHUNK_BYTES, textBytes, type EncodeJob, type EncodeText } from '@embedfarm/contract';
import { cancelRequest, openRequest, sealRequest, REQUEST_TTL_MS } from '../redis/request-record.ts';
import type { SharedTerms } from './coalesce.ts';
import { IDLE_TIMEOUT_MS, type CallOptions } from './encode-call.ts';
import { enqueueFault, type EnqueuePorts } from './enqueue.ts';
import { splitTexts } from './split-texts.ts';
import { withDeadline } from '../redis/with-deadline.ts';
import { checkWebhookHost } from '../webhook/served-hosts.ts';

/** Results of a submitted request live this long after its end. */
export const SUBMITTED_RESULT_TTL_MS = 24 * 3_600_000;
/** Bytes of texts in one call to Redis: a larger one would hold up everybody else's. */
const SLICE_BYTES = 4 * MAX_CHUNK_BYTES;
const SLICE_CHUNKS = 64;

/** What a submitted request has beside its texts and options. */
export interface SubmitTerms {
  readonly label?: string | undefined;
  /** Where its end is posted to, as `webhookUrlSchema` writes it. */
  readonly webhook?: string | undefined;
}

/**
 * Fire and forget: resolves with the request's id when all of it is in Redis. If it fails half
 * way, the request is cancelled.
 *
 * @throws FarmError `invalid_argument` for a webhook whose host no worker delivers to.
 */
export async function submitTexts(
  texts: readonly EncodeText[],
  terms: SharedTerms,
  { label, webhook }: SubmitTerms,
  ports: EnqueuePorts,
  options: CallOptions,
): Promise<string> {
  const { registration, lane, options: encodeOptions, tenant } = terms;
  const { redis, keys } = ports;
  const requestId = ports.nextRequestId();
  const ranges = splitTexts(texts, terms.maxTexts);
  const deadlineAt = options.timeoutMs === undefined ? undefined : ports.nowMs() + options.timeoutMs;
  const within = <Value>(step: Promise<Value>): Promise<Value> =>
    withDeadline(
      step,
      {
        signal: options.signal,
        timeoutMs: deadlineAt === undefined ? IDLE_TIMEOUT_MS : Math.max(1, deadlineAt - ports.nowMs()),
      },
      () => new FarmError('redis_unavailable', 'Redis did not take the request in time'),
    );
  if (webhook !== undefined) await within(checkWebhookHost(redis, keys, webhook));
  try {
    await within(
      openRequest(redis, keys, {
        requestId,
        clientId: ports.clientId,
        tenant,
        model: registration.model,
        fingerprint: registration.fingerprint,
        lane,
        label,
        webhook,
        options: encodeOptions,
        texts: texts.length,
        chunks: ranges.length,
        resultTtlMs: SUBMITTED_RESULT_TTL_MS,
        listed: true,
      }),
    );
    const queue = ports.queue(registration.model, lane);
    let slice: EncodeJob[] = [];
    let sliceBytes = 0;
    for (const [chunkIndex, { from, to }] of ranges.entries()) {
      const chunkTexts = texts.slice(from, to);
      slice.push({
        version: 1,
        requestId,
        chunkIndex,
        clientId: ports.clientId,
        model: registration.model,
        fingerprint: registration.fingerprint,
        texts: chunkTexts,
        options: encodeOptions,
        ...(tenant === undefined ? {} : { tenant }),
        tracked: true,
        awaited: false,
        deadlineMs: 0,
        resultTtlMs: SUBMITTED_RESULT_TTL_MS,
      });
      sliceBytes += chunkTexts.reduce((total, text) => total + textBytes(text), 0);
      const isLast = chunkIndex === ranges.length - 1;
      if (!isLast && slice.length < SLICE_CHUNKS && sliceBytes < SLICE_BYTES) continue;
      await within(queue.enqueue(slice, ports.nowMs()));
      tellProgress(options, to, texts.length);
      slice = [];
      sliceBytes = 0;
    }
    await within(sealRequest(redis, keys, requestId));
    return requestId;
  } catch (thrown) {
    cancelRequest(redis, keys, requestId, REQUEST_TTL_MS).catch(() => undefined);
    throw enqueueFault(thrown);
  }
}

/** @throws FarmError `internal` with what the listener threw. */
function tellProgress({ onProgress }: CallOptions, done: number, total: number): void {
  try {
    onProgress?.({ done, total });
  } catch (thrown) {
    throw FarmError.from(thrown);
  }
}
