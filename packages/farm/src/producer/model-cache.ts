import type { ModelRegistration } from '@embedfarm/contract';
import { performance } from 'node:perf_hooks';
import type { ModelRegistry } from '../redis/model-registry.ts';

/** A registration is looked up again after this: a worker with other weights may have taken the name. */
const MODEL_CACHE_MS = 2_000;

/** Registrations by the name asked for, so that a call costs no look-up. */
export class ModelCache {
  readonly #registry: ModelRegistry;
  readonly #found = new Map<string, Found>();

  constructor(registry: ModelRegistry) {
    this.#registry = registry;
  }

  /** What is known now, so that a call need not wait; undefined where it is to be looked up. */
  known(model: string | undefined): ModelRegistration | undefined {
    const found = this.#found.get(model ?? '');
    return found !== undefined && performance.now() < found.until ? found.known : undefined;
  }

  /** @throws FarmError `model_not_found`, `invalid_argument`: see ModelRegistry.resolve. */
  resolve(model: string | undefined): Promise<ModelRegistration> {
    const name = model ?? '';
    const found = this.#found.get(name);
    if (found && performance.now() < found.until) return found.registration;
    const registration = this.#registry.resolve(model);
    const looked: Found = { registration, until: performance.now() + MODEL_CACHE_MS, known: undefined };
    this.#found.set(name, looked);
    registration.then(
      (known) => (looked.known = known),
      // A failure is not remembered: the worker may be there the next time.
      () => this.#found.delete(name),
    );
    return registration;
  }
}

interface Found {
  readonly registration: Promise<ModelRegistration>;
  readonly until: number;
  /** Once Redis has answered. */
  known: ModelRegistration | undefined;
}
