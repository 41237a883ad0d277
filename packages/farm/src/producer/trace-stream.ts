import type { Telemetry } from 'bullmq';
import type { EncodedChunk } from '../request/request-chunks.ts';
import { CallSpan } from './call-span.ts';
import type { CallOptions } from './encode-call.ts';
import { traceIteration } from './trace-iteration.ts';

/**
 * A span of the life of a stream, below the span that is active at the call. It goes along with each chunk's job, so
 * that the worker's spans come below it.
 */
export function traceStream(
  telemetry: Telemetry | undefined,
  call: CallOptions,
  stream: (call: CallOptions) => AsyncIterableIterator<EncodedChunk, void, undefined>,
): AsyncIterableIterator<EncodedChunk, void, undefined> {
  if (!telemetry) return stream(call);
  const parent: unknown = telemetry.contextManager.active();
  let span: CallSpan | undefined;
  const traced = {
    ...call,
    /** Asked for once the stream has begun. */
    get trace() {
      return span?.trace;
    },
  };
  return traceIteration(
    async () => (span = CallSpan.producing(telemetry, 'encodeStream', parent)),
    stream(traced),
  );
}
