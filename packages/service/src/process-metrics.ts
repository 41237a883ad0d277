import { readFileSync } from 'node:fs';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** The content type of Prometheus' text format. */
export const PROMETHEUS_TEXT = Registry.PROMETHEUS_CONTENT_TYPE;

/** Labels of `farm_build_info`: whatever is not said is left out. */
export type BuildLabels = Partial<Record<'model' | 'fingerprint' | 'dtype', string>>;

/** Metrics of one part of a process, and beside them what every process has. */
export class ProcessMetrics {
  /** Of this part alone, so that two workers in one process do not meet. */
  readonly registry = new Registry();
  readonly #role: string;
  readonly #build: Gauge;

  /** @param role `worker`, `dashboard`, … */
  constructor(role: string) {
    this.#role = role;
    this.#build = new Gauge({
      name: 'farm_build_info',
      help: 'Always 1; the labels say what runs here.',
      labelNames: ['role', 'version', 'model', 'fingerprint', 'dtype'],
      registers: [this.registry],
    });
    this.tellBuild({});
  }

  /** Says what runs here, in place of what was said before. */
  tellBuild(labels: BuildLabels): void {
    this.#build.reset();
    this.#build.set({ role: this.#role, version: VERSION, ...labels }, 1);
  }

  /** Everything, in Prometheus' text format. */
  async text(): Promise<string> {
    const parts = await Promise.all([this.registry.metrics(), nodeMetrics().metrics()]);
    return parts.join('\n');
  }
}

let ofNode: Registry | undefined;

/**
 * Node's and the system's figures under Prometheus' names. Once for a process, when it is asked first: they listen
 * to the loop and to the garbage collector from then on, and nothing ends that.
 */
function nodeMetrics(): Registry {
  if (ofNode) return ofNode;
  ofNode = new Registry();
  // The loop is looked at 50 times a second, not 100.
  collectDefaultMetrics({ register: ofNode, eventLoopMonitoringPrecision: 20 });
  return ofNode;
}

/** All of the farm's packages have one version. */
const VERSION = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
