import { FarmError, MAX_TRACE_LENGTH } from '@embedfarm/contract';
import { SpanKind, type Attributes, type Span, type SpanOptions, type Telemetry } from 'bullmq';

/** A span of one call, and what goes along with its jobs so that the worker's spans come below it. No text is in it. */
export class CallSpan {
  /** As the propagator writes it; undefined where it is too long for a job, which costs the call its trace alone. */
  readonly trace: string | undefined;
  readonly #span: Span;
  #hasEnded = false;

  constructor(
    { tracer, contextManager }: Telemetry,
    name: string,
    { parent, ...options }: SpanOptions & { readonly parent: unknown },
  ) {
    this.#span = tracer.startSpan(name, options, parent);
    const trace = contextManager.getMetadata(this.#span.setSpanOnContext(parent));
    this.trace = trace.length > MAX_TRACE_LENGTH ? undefined : trace;
  }

  /** Of what is sent off, below the span that is active now. */
  static producing(
    telemetry: Telemetry,
    name: string,
    parent: unknown = telemetry.contextManager.active(),
  ): CallSpan {
    return new CallSpan(telemetry, name, { kind: SpanKind.PRODUCER, parent });
  }

  tell(attributes: Attributes): void {
    this.#span.setAttributes(attributes);
  }

  /** Safe to call twice: what is told first counts. */
  end(thrown?: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (thrown !== undefined) {
      const { code, message } = FarmError.from(thrown);
      this.#span.setAttribute('error.type', code);
      this.#span.recordException({ name: 'FarmError', message });
    }
    this.#span.end();
  }
}
