import { FarmError } from '@embedfarm/contract';
import type { Probed, Readiness } from '@embedfarm/service/probe';
import type { FarmLink } from './farm-link.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';

/** `/metrics` and `/readyz` of a gateway. */
export class GatewayProbes implements Probed {
  readonly #link: Pick<FarmLink, 'status'>;
  readonly #metrics: GatewayMetrics;
  readonly #draining: AbortSignal;

  constructor(parts: { link: Pick<FarmLink, 'status'>; metrics: GatewayMetrics; draining: AbortSignal }) {
    this.#link = parts.link;
    this.#metrics = parts.metrics;
    this.#draining = parts.draining;
  }

  metrics(): Promise<string> {
    return this.#metrics.text();
  }

  /** Ready is one behind which a text would be encoded now. */
  async readiness(): Promise<Readiness> {
    if (this.#draining.aborted)
      return unready('draining', 'the gateway finishes what it has begun and takes no more');
    try {
      const { models } = await this.#link.status();
      if (models.some(({ workers }) => workers > 0)) return { ready: true };
      return models.length === 0
        ? unready('model_not_found', 'no worker ever registered a model')
        : unready('no_worker', `no worker serves ${models.map(({ model }) => model).join(', ')} now`);
    } catch (thrown) {
      const { code, detail } = FarmError.from(thrown);
      return unready(code, detail);
    }
  }
}

function unready(reason: string, message: string): Readiness {
  return { ready: false, reason, message };
}
