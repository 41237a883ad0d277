import {
  encodeRequestSchema,
  FarmError,
  parseOptions,
  readGiven,
  webhookUrlSchema,
  type EncodeRequest,
  type VectorDtype,
} from '@embedfarm/contract';
import {
  producerOptionsSchema,
  REQUEST_STATES,
  streamOptionsSchema,
  type CallOptions,
  type ReadOptions,
  type RequestFilter,
  type StreamOptions,
  type SubmitTerms,
} from '@embedfarm/farm/producer';
import { z } from 'zod';
import { rememberOptions } from './remember-options.ts';

/** What only looks like a signal has no `aborted`, or throws when it is asked for. */
const signalSchema = z.custom<AbortSignal>(
  (value) => value instanceof AbortSignal && typeof value.aborted === 'boolean',
  'must be an AbortSignal',
);

/** Beside the options of a connection, what ends the connecting early. */
const connectCallSchema = z.strictObject({ signal: signalSchema.optional() });

/** What waits: every call takes these. */
const waitSchema = z.strictObject({
  /** Ends the call early; it rejects with `cancelled`. */
  signal: signalSchema.optional(),

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
   * come back; or `wait` for room, to the deadline. Default: `reject`, but `wait` for an iterable, which is read as
   * fast as there is room.
   */
  whenOverloaded: z.enum(['reject', 'wait']).optional(),
});
export type EncodeCallOptions<Dtype extends VectorDtype = VectorDtype> = Typed<
  z.input<typeof encodeCallSchema>,
  Dtype
>;

const labelSchema = z.string().min(1).max(200);
const MAX_RESULT_TTL_MS = 30 * 24 * 3_600_000;

/** Options of `submit`. */
const submitCallSchema = z.strictObject({
  ...encodeCallSchema.shape,
  /** A name for people, kept with the request. */
  label: labelSchema.optional(),

  /**
   * URL that the request's end is posted to, signed: see docs/webhooks.md. Workers decide which hosts they deliver to;
   * another one is refused. At most 2,000 characters, without user name, password and fragment.
   */
  webhook: webhookUrlSchema.optional(),

  /** How long the results are kept after the end, in ms; default: 24 hours. */
  resultTtlMs: z.int().min(1_000).max(MAX_RESULT_TTL_MS).optional(),
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

/** Options of `encodeStream`. */
const streamCallSchema = z.strictObject({
  ...encodeCallSchema.omit({ returnTokens: true }).shape,
  ...streamOptionsSchema.shape,
});
export type StreamCallOptions<Dtype extends VectorDtype = VectorDtype> = Typed<
  z.input<typeof streamCallSchema>,
  Dtype
>;

/** Options of a request's `result`. */
const resultSchema = z.strictObject({
  ...waitSchema.shape,
  /** Deletes the results once all of them are read. */
  consume: z.boolean().optional(),
});
export type ResultOptions = z.input<typeof resultSchema>;

/** Options of a request's `rows`. */
const rowsSchema = z.strictObject({
  ...waitSchema.shape,
  /** `texts`: in their order. `finished`: as they get done, chunk by chunk. Default: `texts`. */
  order: z.enum(['texts', 'finished']).optional(),
  /** The first text that is wanted. */
  from: z.int().min(0).optional(),
  /** Deletes results behind the reader: what was taken, with the whole chunk that it came in. */
  consume: z.boolean().optional(),
});
export type RowsOptions = z.input<typeof rowsSchema>;

const filterSchema = z.strictObject({
  label: labelSchema.optional(),
  state: z.enum(REQUEST_STATES).optional(),
  /** Most requests that are given; default: 100. */
  limit: z.int().min(1).max(10_000).optional(),
});
export type RequestsOptions = z.input<typeof filterSchema>;

/** Options that a later version honours: refused by name, never ignored. */
const LATER = ['priority'];

/** @throws FarmError `invalid_argument` with every broken or unknown option named. */
export function parseConnectOptions(
  options: unknown,
  call: unknown,
): z.output<typeof producerOptionsSchema> & { signal: AbortSignal | undefined } {
  const { signal } = parseOptions('connect call', connectCallSchema, call);
  return { ...parseOptions('connect options', producerOptionsSchema, options), signal };
}

/** @throws FarmError `invalid_argument` with every broken or unknown option named. */
export function parseSubmitOptions(options: unknown): {
  request: EncodeRequest;
  submit: SubmitTerms;
  wait: CallOptions;
} {
  refuseLater(options);
  const { label, webhook, resultTtlMs, signal, timeoutMs, onProgress, whenOverloaded, ...request } =
    parseOptions('submit options', submitCallSchema, options);
  return {
    request,
    submit: { label, webhook, resultTtlMs },
    wait: { signal, timeoutMs, onProgress, whenOverloaded },
  };
}

/** @throws FarmError `invalid_argument` with every broken or unknown option named. */
export const parseEncodeOptions = rememberOptions(readEncodeOptions);

function readEncodeOptions(options: unknown): { request: EncodeRequest; wait: CallOptions } {
  refuseLater(options);
  const { signal, timeoutMs, onProgress, whenOverloaded, ...request } = parseOptions(
    'encode options',
    encodeCallSchema,
    options,
  );
  return { request, wait: { signal, timeoutMs, onProgress, whenOverloaded } };
}

/** @throws FarmError `invalid_argument` with every broken or unknown option named. */
export function parseStreamOptions(options: unknown): {
  request: EncodeRequest;
  stream: StreamOptions;
  wait: CallOptions;
} {
  refuseLater(options);
  const { id, position, order, window, signal, timeoutMs, onProgress, whenOverloaded, ...request } =
    parseOptions('stream options', streamCallSchema, options);
  return {
    request,
    stream: { id, position, order, window },
    wait: { signal, timeoutMs, onProgress, whenOverloaded },
  };
}

/** @throws FarmError `invalid_argument` with every broken or unknown option named. */
export function parseWaitOptions(options: unknown): CallOptions {
  return parseOptions('options', waitSchema, options);
}

/** @throws FarmError `invalid_argument` with every broken or unknown option named. */
export function parseResultOptions(options: unknown): { consume: boolean | undefined; wait: CallOptions } {
  const { consume, ...wait } = parseOptions('options', resultSchema, options);
  return { consume, wait };
}

/** @throws FarmError `invalid_argument` with every broken or unknown option named. */
export function parseRowsOptions(options: unknown): { reading: ReadOptions; wait: CallOptions } {
  const { order, from, consume, ...wait } = parseOptions('options', rowsSchema, options);
  return { reading: { order, from, consume }, wait };
}

/** @throws FarmError `invalid_argument` with every broken or unknown option named. */
export function parseRequestsOptions(options: unknown): RequestFilter {
  return parseOptions('options', filterSchema, options);
}

function refuseLater(options: unknown): void {
  if (typeof options !== 'object' || options === null) return;
  const later = readGiven('options', () => LATER.filter((name) => Object.hasOwn(options, name)));
  if (later.length === 0) return;
  throw new FarmError(
    'invalid_argument',
    `${later.join(', ')}: this version of the farm does not take it yet`,
  );
}
