import type { Provider } from '../device/provider.ts';

/** How much a device is given at once. */
export interface SeatLimits {
  /** Batches in flight: one runs, the others are ready. */
  readonly slots: number;
  /** Most tokens one batch may cost. */
  readonly tokenBudget: number;
}

// Cores: 128 to 384 tokens are equally fast, more misses the caches (docs/decisions/0013). Cards want more
// rows, or they wait for their launches: these are guesses on the safe side, until the device is calibrated.
// 2,048 tokens of 512 keep the attention of 12 heads within the 128 MiB that WebGPU promises for a buffer.
const DEFAULTS: Readonly<Record<Provider, SeatLimits>> = {
  cpu: { slots: 2, tokenBudget: 256 },
  cuda: { slots: 2, tokenBudget: 8_192 },
  webgpu: { slots: 2, tokenBudget: 2_048 },
};

/** What was said, else what was measured, else the default of the kind. */
export function seatLimits(
  provider: Provider,
  said: { readonly slots?: number | undefined; readonly tokenBudget?: number | undefined },
  measured?: { readonly tokenBudget: number },
): SeatLimits {
  const byKind = DEFAULTS[provider];
  return {
    slots: said.slots ?? byKind.slots,
    tokenBudget: said.tokenBudget ?? measured?.tokenBudget ?? byKind.tokenBudget,
  };
}

const MIN_WINDOW_TEXTS = 256;
const MAX_WINDOW_TEXTS = 65_536;
// A text has 37 tokens in the mean, so that a window holds two batches or more.
const TOKENS_PER_TEXT = 16;

/** Texts to sort together where nothing is said: enough for like lengths to meet in the largest budget. */
export function windowTextsFor(budgets: readonly number[]): number {
  const wanted = Math.ceil(Math.max(0, ...budgets) / TOKENS_PER_TEXT);
  return Math.min(MAX_WINDOW_TEXTS, Math.max(MIN_WINDOW_TEXTS, wanted));
}
