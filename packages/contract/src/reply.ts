import { FarmError } from './farm-error.ts';

/** Vectors up to this size travel inside the reply; they are stored as well. */
export const MAX_INLINE_BYTES = 65_536;

/**
 * How a chunk ended. `done`: it has a vector block, in which single texts may have failed.
 * `failed` and `cancelled`: the block holds the reason for every text.
 */
export const REPLY_STATUSES = ['done', 'failed', 'cancelled'] as const;
export type ReplyStatus = (typeof REPLY_STATUSES)[number];

/** One entry of a client's reply stream. */
export interface Reply {
  readonly jobId: string;
  readonly status: ReplyStatus;
  /** The encoded vector block; absent when it was too large and stands only under `result:<jobId>`. */
  readonly block: Uint8Array | undefined;
}

/**
 * A stream entry's flat field list `[name, value, …]`, as bytes.
 *
 * @throws FarmError `internal` when it is not a reply.
 */
export function parseReply(fields: readonly Uint8Array[]): Reply {
  let jobId: string | undefined;
  let status: ReplyStatus | undefined;
  let block: Uint8Array | undefined;
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const value = fields[i + 1];
    if (value === undefined) break;
    const name = decode(fields[i]);
    if (name === 'job') jobId = decode(value);
    if (name === 'status') status = REPLY_STATUSES.find((known) => known === decode(value));
    if (name === 'block' && value.byteLength > 0) block = value;
  }
  if (jobId === undefined || status === undefined) {
    throw new FarmError(
      'internal',
      `not a reply: fields ${fields.map((field) => decode(field).slice(0, 20)).join(', ')}`,
    );
  }
  return { jobId, status, block };
}

function decode(bytes: Uint8Array | undefined): string {
  return bytes === undefined
    ? ''
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
