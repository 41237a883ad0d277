import { parseOptions } from '@embedfarm/contract';
import type { OpenGuard } from '../producer/open-guard.ts';
import {
  DEFAULT_MAX_TEXTS,
  DEFAULT_MEMORY_SHARE,
  farmLimitsSchema,
  type FarmLimits,
  type NewFarmLimits,
} from '../redis/farm-limits.ts';

/** Limits that are kept, and never reached. */
export class MemoryLimits {
  readonly #guard: OpenGuard;
  #limits: FarmLimits = { texts: DEFAULT_MAX_TEXTS, bytes: null, memoryShare: DEFAULT_MEMORY_SHARE };

  constructor(guard: OpenGuard) {
    this.#guard = guard;
  }

  async read(): Promise<FarmLimits> {
    this.#guard.check();
    return this.#limits;
  }

  async set(limits: NewFarmLimits): Promise<void> {
    this.#guard.check();
    const { texts, bytes, memoryShare } = parseOptions('limits', farmLimitsSchema, limits);
    const before = this.#limits;
    this.#limits = {
      texts: texts ?? before.texts,
      bytes: bytes === undefined ? before.bytes : bytes,
      memoryShare: memoryShare ?? before.memoryShare,
    };
  }
}
