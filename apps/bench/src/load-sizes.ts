import type { Shape } from './bench-model.ts';
import type { BenchOptions } from './bench-options.ts';

/** How much of each load a round holds. */
export interface LoadSizes {
  readonly bulkTexts: number;
  readonly singleCalls: number;
  readonly loop: { readonly rampSeconds: number; readonly seconds: number };
  readonly clientProcesses: number;
  readonly clientsPerProcess: number;
  readonly rounds: number;
}

// 32 clients; more processes than cores, as web servers have.
const CLIENTS = { clientProcesses: 4, clientsPerProcess: 8 };

// On two cores minilm does about 400 texts/s and base 50; the whole bench is to take less than 12 minutes.
const SIZES = {
  tiny: { bulkTexts: 2_048, singleCalls: 128, loop: { rampSeconds: 0.5, seconds: 3 } },
  minilm: { bulkTexts: 2_048, singleCalls: 128, loop: { rampSeconds: 1, seconds: 4 } },
  // 32 clients of 20 ms each wait 0.64 s: the ramp is two of them.
  base: { bulkTexts: 512, singleCalls: 32, loop: { rampSeconds: 1.5, seconds: 7 } },
} as const satisfies Record<Shape, unknown>;

const QUICK = {
  bulkTexts: 300,
  singleCalls: 4,
  loop: { rampSeconds: 0.1, seconds: 0.5 },
  clientProcesses: 2,
  clientsPerProcess: 2,
  rounds: 2,
};

export function loadSizes(shape: Shape, options: BenchOptions): LoadSizes {
  const sizes = options.quick ? QUICK : { ...SIZES[shape], ...CLIENTS, rounds: 5 };
  return {
    ...sizes,
    bulkTexts: options['bulk-texts'] ?? sizes.bulkTexts,
    rounds: options.rounds ?? sizes.rounds,
  };
}
