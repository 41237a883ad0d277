import type { EncodeTiming, ModelRegistration } from '@embedfarm/contract';
import type { JobEnd } from '@embedfarm/farm/worker';
import {
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Tracer,
} from '@opentelemetry/api';

/** The parts of a job's time that have a span, in the order in which they come. */
const PARTS = [
  ['tokenize', 'tokenizeMs'],
  ['batch wait', 'batchWaitMs'],
  ['device', 'deviceMs'],
] as const satisfies readonly (readonly [string, keyof EncodeTiming])[];

/**
 * Spans of jobs below the spans of the calls that they belong to, made when a job has ended from what was measured:
 * `process` from when the worker took it, below it its parts one after the other, and `store` up to the end. A job that
 * no caller traces has none.
 */
export class JobTraces {
  readonly #tracer: Tracer = trace.getTracer('embedfarm');
  readonly #registration: ModelRegistration;
  /** Ms since 1970, as spans have it. */
  readonly #now: () => number;

  constructor(registration: ModelRegistration, now: () => number = Date.now) {
    this.#registration = registration;
    this.#now = now;
  }

  /** Whether an SDK takes the spans; without one they go nowhere. */
  static get hasSdk(): boolean {
    const span = trace.getTracer('embedfarm').startSpan('probe', { root: true });
    // It is never ended, so no exporter sees it.
    return isSpanContextValid(span.spanContext());
  }

  jobEnded(end: JobEnd): void {
    const parent = parentOf(end.trace);
    if (!parent) return;
    const { timing, totalMs, storeMs, lane, outcome, code } = end;
    const endMs = this.#now();
    const startMs = endMs - Math.max(0, totalMs - timing.queueMs);
    const { model } = this.#registration;
    const attributes = {
      'messaging.system': 'bullmq',
      'messaging.destination.name': `${model}-${lane}`,
      'messaging.message.id': `${end.requestId}.${end.chunkIndex}`,
      'embedfarm.model': model,
      'embedfarm.outcome': outcome,
      'embedfarm.texts': end.texts,
      'embedfarm.tokens': end.tokens,
      'embedfarm.queue_ms': timing.queueMs,
      ...(code === undefined ? {} : { 'error.type': code }),
    };
    const options = { kind: SpanKind.CONSUMER, startTime: startMs, attributes };
    const span = this.#tracer.startSpan('process', options, parent);
    if (outcome === 'failed' || outcome === 'retried') span.setStatus({ code: SpanStatusCode.ERROR });
    const inside = trace.setSpan(parent, span);
    let atMs = startMs;
    for (const [name, part] of PARTS) {
      // What was not encoded here has no such part.
      if (timing[part] > 0) this.#part(name, atMs, atMs + timing[part], inside);
      atMs += timing[part];
    }
    if (storeMs > 0) this.#part('store', endMs - storeMs, endMs, inside);
    span.end(endMs);
  }

  #part(name: string, fromMs: number, toMs: number, inside: Context): void {
    this.#tracer.startSpan(name, { startTime: fromMs }, inside).end(toMs);
  }
}

/** The caller's span; undefined where there is none, or what stands there is none. */
function parentOf(carried: string | undefined): Context | undefined {
  if (carried === undefined) return undefined;
  try {
    const fields: unknown = JSON.parse(carried);
    const parent = propagation.extract(ROOT_CONTEXT, fields);
    return trace.getSpanContext(parent) ? parent : undefined;
  } catch {
    return undefined;
  }
}
