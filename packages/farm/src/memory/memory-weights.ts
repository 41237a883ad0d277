import { parseOptions } from '@embedfarm/contract';
import type { ProducerPort } from '../producer/producer-port.ts';
import type { OpenGuard } from '../producer/open-guard.ts';
import { weightSchema } from '../queue/tenant-weights.ts';

/** As TenantWeights: kept, and of no effect, as nobody waits for a turn. */
export class MemoryWeights implements Readonly<ProducerPort['weights']> {
  readonly #guard: OpenGuard;
  readonly #weights = new Map<string, number>();

  constructor(guard: OpenGuard) {
    this.#guard = guard;
  }

  async set(tenant: string, weight: number): Promise<void> {
    const parsed = parseOptions('weight of a tenant', weightSchema, { tenant, weight });
    this.#guard.check();
    if (parsed.weight === 1) this.#weights.delete(parsed.tenant);
    else this.#weights.set(parsed.tenant, parsed.weight);
  }

  async remove(tenant: string): Promise<void> {
    const parsed = parseOptions('weight of a tenant', weightSchema.pick({ tenant: true }), { tenant });
    this.#guard.check();
    this.#weights.delete(parsed.tenant);
  }

  async list(): Promise<Record<string, number>> {
    this.#guard.check();
    return Object.fromEntries(this.#weights);
  }
}
