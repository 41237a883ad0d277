import {
  encodeRequestSchema,
  FarmError,
  parseOptions,
  type EncodeRequest,
  type VectorDtype,
} from '@embedfarm/contract';
import type { CallOptions } from '@embedfarm/farm/producer';
import { z } from 'zod';

/** What waits: every call takes these. */
const waitSchema = z.strictObject({
  /** Ends the call early; it rejects with `cancelled`. */
  signal: z.instanceof(AbortSignal).optional(),

  /** Deadline of the whole call in ms; default: 60,000 without progress. */
  timeoutMs: z.number().min(1).max(2_147_483_647).optional(),

  /** Told after each chunk, with the texts settled so far. */
  onProgress: z
    .custom<(progress: { done: number; total: number }) => void>(
      (value) => typeof value === 'function',
      'must be a function',
    )
    .optional(),
});
export type WaitOptions = z.input<typeof waitSchema>;

/** Options of `encode`: what decides the vectors, and what waits for them. */
const encodeCallSchema = z.strictObject({
  ...encodeRequestSchema.shape,
  ...waitSchema.shape,

  /**
   * Where the farm holds as much as it may: `reject` at once with `overloaded`, whose `retryAfterMs` says when to
   * come back; or `wait` for room, to the deadline.
   */
  whenOverloaded: z.enum(['reject', 'wait']).default('reject'),
});
export type EncodeCallOptions<Dtype extends VectorDtype = VectorDtype> = Typed<
  z.input<typeof encodeCallSchema>,
  Dtype
>;

/** Options of `submit`. */
const submitCallSchema = z.strictObject({
  ...encodeCallSchema.shape,
  /** A name for people, kept with the request. */
  label: z.string().min(1).max(200).optional(),
});
export type SubmitCallOptions<Dtype extends VectorDtype = VectorDtype> = Typed<
  z.input<typeof submitCallSchema>,
  Dtype
>;

/** The dtype that is asked for decides the type of what comes back. */
type Typed<Options, Dtype extends VectorDtype> = Omit<Options, 'dtype'> & {
  /** What the numbers come as: see `encodeOptionsSchema`; `float32` by default. */
  dtype?: Dtype | undefined;
};

/** Options that a later version honours: refused by name, never ignored. */
const LATER = ['priority', 'consume', 'cache', 'webhook'];

/** @throws FarmError `invalid_argument` with every broken or unknown option named. */
export function parseSubmitOptions(options: unknown): {
  request: EncodeRequest;
  label: string | undefined;
  wait: CallOptions;
} {
  refuseLater(options);
  const { label, signal, timeoutMs, onProgress, whenOverloaded, ...request } = parseOptions(
    'submit options',
    submitCallSchema,
    options,
  );
  return { request, label, wait: { signal, timeoutMs, onProgress, whenOverloaded } };
}

/** @throws FarmError `invalid_argument` with every broken or unknown option named. */
export function parseEncodeOptions(options: unknown): { request: EncodeRequest; wait: CallOptions } {
  refuseLater(options);
  const { signal, timeoutMs, onProgress, whenOverloaded, ...request } = parseOptions(
    'encode options',
    encodeCallSchema,
    options,
  );
  return { request, wait: { signal, timeoutMs, onProgress, whenOverloaded } };
}

/** @throws FarmError `invalid_argument` with every broken or unknown option named. */
export function parseWaitOptions(options: unknown): CallOptions {
  return parseOptions('options', waitSchema, options);
}

function refuseLater(options: unknown): void {
  if (typeof options !== 'object' || options === null) return;
  const later = LATER.filter((name) => Object.hasOwn(options, name));
  if (later.length === 0) return;
  throw new FarmError(
    'invalid_argument',
    `${later.join(', ')}: this version of the farm does not take it yet`,
  );
}
