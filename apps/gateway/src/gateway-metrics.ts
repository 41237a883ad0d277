import { ProcessMetrics } from '@embedfarm/service/process-metrics';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { DOORS, type DoorName } from './http/call.ts';

/** From a lone text that is in the cache to a call that waited for its deadline. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** What the gateway is at the moment of a scrape. */
export interface GatewayFigures {
  readonly connections: number;
  readonly openRequests: number;
  readonly heldBytes: number;
}

/** How a request ended. */
export interface RequestEnd {
  readonly door: DoorName;
  /** 499 where its caller was gone before. */
  readonly status: number;
  readonly seconds: number;
  readonly texts: number;
  readonly tokens: number;
}

/** The metrics of one gateway. */
export class GatewayMetrics {
  readonly #process = new ProcessMetrics('gateway');
  readonly #registers = [this.#process.registry];
  readonly #requests = new Counter({
    name: 'farm_gateway_requests_total',
    help: 'Answered requests, by door and HTTP status; 499 where the caller was gone.',
    labelNames: ['door', 'status'],
    registers: this.#registers,
  });
  readonly #seconds = new Histogram({
    name: 'farm_gateway_request_seconds',
    help: 'From the head of a request to the end of its answer.',
    buckets: SECONDS,
    labelNames: ['door'],
    registers: this.#registers,
  });
  readonly #texts = this.#counter(
    'farm_gateway_texts_total',
    'Texts that callers got vectors of; not those of submitted requests.',
  );
  readonly #tokens = this.#counter('farm_gateway_tokens_total', 'Tokens of those texts.');
  /** Sums over all doors, for those who ask the gateway itself. */
  readonly totals = { requests: 0, texts: 0 };

  constructor() {
    for (const door of DOORS) {
      this.#texts.inc({ door }, 0);
      this.#tokens.inc({ door }, 0);
    }
  }

  /** For what some gateways alone have. */
  get registry(): Registry {
    return this.#process.registry;
  }

  watch(figures: () => GatewayFigures): void {
    const registers = this.#registers;
    const gauge = (name: string, help: string, read: (now: GatewayFigures) => number): void => {
      const one: Gauge = new Gauge({ name, help, registers, collect: () => one.set(read(figures())) });
    };
    gauge('farm_gateway_connections', 'Connections of callers that are open.', (now) => now.connections);
    gauge(
      'farm_gateway_open_requests',
      'Requests that are not answered yet; the one that asks is one.',
      (now) => now.openRequests,
    );
    gauge(
      'farm_gateway_held_bytes',
      'Bytes that open requests hold: their bodies and vectors.',
      (now) => now.heldBytes,
    );
  }

  ended({ door, status, seconds, texts, tokens }: RequestEnd): void {
    this.#requests.inc({ door, status });
    this.#seconds.observe({ door }, seconds);
    this.#texts.inc({ door }, texts);
    this.#tokens.inc({ door }, tokens);
    this.totals.requests += 1;
    this.totals.texts += texts;
  }

  /** Everything, in Prometheus' text format. */
  text(): Promise<string> {
    return this.#process.text();
  }

  #counter(name: string, help: string): Counter<'door'> {
    return new Counter({ name, help, labelNames: ['door'], registers: this.#registers });
  }
}
