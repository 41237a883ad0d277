import { SpanKind, type SpanOptions, type Telemetry } from 'bullmq';
import { withDeadline, noAnswer } from '../redis/with-deadline.ts';
import { CallSpan } from './call-span.ts';
import type { CallOptions } from './encode-call.ts';
import type { EnqueuePorts } from './enqueue.ts';

/** Longest the look for the trace of a request may hold up who waits for it. */
const LOOK_MS = 1_000;
const TRACEPARENT = /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})/;

/** What looking for a request's trace needs of its producer. */
export type TracePorts = Pick<EnqueuePorts, 'redis' | 'keys' | 'telemetry'>;

/** A span of one wait for a submitted request: see beginReading. */
export async function traceReading<Value>(
  ports: TracePorts,
  name: string,
  requestId: string,
  call: CallOptions,
  read: () => Promise<Value>,
): Promise<Value> {
  const { telemetry } = ports;
  if (!telemetry) return await read();
  const span = await beginReading(telemetry, ports, name, requestId, call);
  try {
    return await read();
  } catch (thrown) {
    span.end(thrown);
    throw thrown;
  } finally {
    span.end();
  }
}

/**
 * A span of who waits for a submitted request, or reads it: below the caller's own with a link to the span of the
 * `submit`; where the caller has none, below that of the `submit`, in its trace.
 */
export async function beginReading(
  telemetry: Telemetry,
  ports: TracePorts,
  name: string,
  requestId: string,
  call: CallOptions,
): Promise<CallSpan> {
  const { contextManager } = telemetry;
  const active: unknown = contextManager.active();
  const submit = await submitTrace(ports, requestId, call);
  const from = spanOf(submit);
  const isOwn = spanOf(contextManager.getMetadata(active)) !== undefined;
  const parent: unknown =
    submit === undefined || from === undefined || isOwn
      ? active
      : contextManager.fromMetadata(active, submit);
  // BullMQ hands the options on as they are; OpenTelemetry's have links.
  const options: SpanOptions & { links?: { context: SpanReference }[] } = {
    kind: SpanKind.CLIENT,
    ...(from !== undefined && isOwn ? { links: [{ context: from }] } : {}),
  };
  const span = new CallSpan(telemetry, name, { ...options, parent });
  span.tell({ 'embedfarm.request_id': requestId });
  return span;
}

/** What its producer traced it as; undefined for a request that is not traced, or not there. */
async function submitTrace(
  { redis, keys }: TracePorts,
  requestId: string,
  { signal, timeoutMs = LOOK_MS }: CallOptions,
): Promise<string | undefined> {
  const looking = redis.hget(keys.request(requestId), 'trace');
  const limits = { signal, timeoutMs: Math.min(timeoutMs, LOOK_MS) };
  // What is wrong is told by the reading itself.
  return (await withDeadline(looking, limits, noAnswer).catch(() => undefined)) ?? undefined;
}

/** A span of any process, as OpenTelemetry names it. */
interface SpanReference {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
  readonly isRemote: true;
}

/** The span that a propagator of W3C's has written; undefined for none, and for any other. */
function spanOf(carried: string | undefined): SpanReference | undefined {
  if (carried === undefined) return undefined;
  try {
    const { traceparent } = JSON.parse(carried) as { traceparent?: unknown };
    const [, traceId, spanId, flags] = TRACEPARENT.exec(String(traceparent)) ?? [];
    if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
    return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  } catch {
    return undefined;
  }
}
