import type { Telemetry } from 'bullmq';
import { CallSpan } from './call-span.ts';
import type { EncodedTexts } from './encoded-texts.ts';

/** Whether it is what BullMQ calls telemetry; `new BullMQOtel()` of bullmq-otel is one. */
export function isTelemetry(value: unknown): value is Telemetry {
  return typeof value === 'object' && value !== null && 'tracer' in value && 'contextManager' in value;
}

/**
 * A span of one call of `encode`, below the caller's own. What `encode` is given goes along with the call's jobs, so
 * that the worker's spans come below this one.
 */
export async function traceEncode(
  telemetry: Telemetry,
  texts: number,
  encode: (trace: string | undefined) => Promise<EncodedTexts>,
): Promise<EncodedTexts> {
  const span = CallSpan.producing(telemetry, 'encode');
  try {
    span.tell({ 'embedfarm.texts': texts });
    const encoded = await encode(span.trace);
    span.tell({ 'embedfarm.model': encoded.model });
    return encoded;
  } catch (thrown) {
    span.end(thrown);
    throw thrown;
  } finally {
    span.end();
  }
}
