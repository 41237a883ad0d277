import type { Telemetry } from 'bullmq';
import { CallSpan } from './call-span.ts';
import type { CallOptions } from './encode-call.ts';
import type { Filling } from './filling.ts';

/**
 * A span of one call of `submit`, up to where all of it is in Redis. It goes along with each chunk's job, so that the
 * worker's spans come below it, and stands in the request's record, for who waits for the request later.
 */
export async function traceSubmit(
  telemetry: Telemetry | undefined,
  options: CallOptions,
  submit: (options: CallOptions) => Promise<Filling>,
): Promise<Filling> {
  if (!telemetry) return await submit(options);
  const span = CallSpan.producing(telemetry, 'submit');
  try {
    const { requestId, filled } = await submit({
      ...options,
      trace: span.trace,
      onProgress: (progress) => {
        span.tell({ 'embedfarm.texts': progress.done });
        options.onProgress?.(progress);
      },
    });
    span.tell({ 'embedfarm.request_id': requestId });
    filled.then(
      () => span.end(),
      (thrown: unknown) => span.end(thrown),
    );
    return { requestId, filled };
  } catch (thrown) {
    span.end(thrown);
    throw thrown;
  }
}
