import { FarmError, MAX_TRACE_LENGTH } from '@embedfarm/contract';
import { SpanKind, type Telemetry } from 'bullmq';
import type { EncodedTexts } from './encoded-texts.ts';

/** Whether it is what BullMQ calls telemetry; `new BullMQOtel()` of bullmq-otel is one. */
export function isTelemetry(value: unknown): value is Telemetry {
  return typeof value === 'object' && value !== null && 'tracer' in value && 'contextManager' in value;
}

/**
 * A span of one call of `encode`, below the caller's own. What `encode` is given goes along with the call's jobs, so
 * that the worker's spans come below this one; undefined where nothing is traced.
 */
export async function traceEncode(
  telemetry: Telemetry | undefined,
  texts: number,
  encode: (trace: string | undefined) => Promise<EncodedTexts>,
): Promise<EncodedTexts> {
  if (!telemetry) return await encode(undefined);
  const { tracer, contextManager } = telemetry;
  const active: unknown = contextManager.active();
  const span = tracer.startSpan('encode', { kind: SpanKind.PRODUCER }, active);
  try {
    span.setAttribute('embedfarm.texts', texts);
    const trace = contextManager.getMetadata(span.setSpanOnContext(active));
    // Baggage that is too long for a job costs the call its trace, not its vectors.
    const encoded = await encode(trace.length > MAX_TRACE_LENGTH ? undefined : trace);
    span.setAttribute('embedfarm.model', encoded.model);
    return encoded;
  } catch (thrown) {
    const { code, message } = FarmError.from(thrown);
    span.setAttribute('error.type', code);
    span.recordException({ name: 'FarmError', message });
    throw thrown;
  } finally {
    span.end();
  }
}
