import { z } from 'zod';
import { cacheTtlMsSchema } from './cache-option.ts';
import { encodeOptionsSchema, nameSchema, parseOptions } from './encode-request.ts';
import { encodeTextSchema, type EncodeText } from './encode-text.ts';

/** Most texts of one chunk: a window the batcher can sort well, and about 0.8 MB of vectors at 768 dimensions. */
export const MAX_CHUNK_TEXTS = 256;
/** Most bytes of the texts of one chunk, as `textBytes` counts them. A larger job blocks Redis for longer than a batch takes. */
export const MAX_CHUNK_BYTES = 1_000_000;
/** Most chunks of one request: its bitmap has 128 KiB then, whatever index a job claims. */
export const MAX_REQUEST_CHUNKS = 1_048_576;

/** `traceparent` has 55 characters; `tracestate` and `baggage` have what their owners put there. */
export const MAX_TRACE_LENGTH = 2_000;

const idSchema = z.string().regex(/^[A-Za-z0-9-]{3,80}$/, 'must be 3 to 80 of A-Z a-z 0-9 -');

/** One chunk as it stands in the queue. */
export const encodeJobSchema = z.strictObject({
  version: z.literal(1),
  requestId: idSchema,
  chunkIndex: z
    .int()
    .min(0)
    .max(MAX_REQUEST_CHUNKS - 1),
  clientId: idSchema,
  model: nameSchema,
  /** The model the caller meant; a worker with another one fails the chunk with `model_changed`. */
  fingerprint: z.string().max(128),
  texts: z.array(encodeTextSchema).min(1).max(MAX_CHUNK_TEXTS),
  options: encodeOptionsSchema,
  tenant: nameSchema.optional(),
  /** Whether a request record counts this chunk; a lone awaited chunk has none. */
  tracked: z.boolean(),
  /** Whether a client waits for the answer on its reply stream. */
  awaited: z.boolean(),
  /** Texts that their producer refused: they stand in `texts` as empty ones, and fail with these messages. */
  refused: z.array(z.strictObject({ text: z.int().min(0), message: z.string().max(2_000) })).optional(),
  /** Bytes that the request holds of the farm's room for this chunk until it is settled. */
  reservedBytes: z.int().min(0).optional(),
  /** Redis time in ms after which nobody waits; 0 means never. */
  deadlineMs: z.number().min(0),
  /** How long the result is kept. */
  resultTtlMs: z.int().min(1),
  /**
   * The worker looks the texts up by content, and keeps those that it encodes for so long. Absent: it does neither.
   * A worker of a version without the field refuses the job by name; the processes of a farm have one version.
   */
  cacheTtlMs: cacheTtlMsSchema.optional(),
  /** The trace that the call belongs to: a JSON object of the fields that its propagator wrote, as `traceparent`. */
  trace: z.string().max(MAX_TRACE_LENGTH).optional(),
});
export type EncodeJob = Omit<z.output<typeof encodeJobSchema>, 'texts'> & {
  readonly texts: readonly EncodeText[];
};

/** @throws FarmError `invalid_argument` when it is no id of a request. */
export function parseRequestId(id: unknown): string {
  return parseOptions('request id', idSchema, id);
}

/** @throws FarmError `invalid_argument` with every broken field named. */
export function parseEncodeJob(data: unknown): EncodeJob {
  return parseOptions('not an encode job', encodeJobSchema, data);
}

/** The job's id is a pure function of its request and chunk, so enqueueing twice is enqueueing once. */
export function encodeJobId(requestId: string, chunkIndex: number): string {
  return `${requestId}.${chunkIndex}`;
}

/** The request and chunk that a job's id names; undefined where it names none. */
export function parseJobId(jobId: string): Pick<EncodeJob, 'requestId' | 'chunkIndex'> | undefined {
  const [, requestId = '', digits = ''] = /^([^.]*)\.(0|[1-9]\d{0,6})$/.exec(jobId) ?? [];
  const chunkIndex = Number(digits);
  return idSchema.safeParse(requestId).success && chunkIndex < MAX_REQUEST_CHUNKS
    ? { requestId, chunkIndex }
    : undefined;
}
