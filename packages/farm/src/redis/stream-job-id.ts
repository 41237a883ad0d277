import { createHash } from 'node:crypto';

/** Bits of each half of a stream's request id: 128, as nobody checks a stored result against its texts. */
const HASH_DIGITS = 32;
const STREAM_JOB = /^\d+-stream-[0-9a-f]{32}-/;

/**
 * The request id of one chunk of a resumable stream: a pure function of what decides its vectors, so that a stored
 * result is found again exactly where stream, model, options and texts are the same.
 */
export function streamRequestId(streamHash: string, content: unknown): string {
  return `0-stream-${streamHash}-${hashOf(content)}`;
}

/** Hash of plain data, as hexadecimal digits. */
export function hashOf(data: unknown): string {
  return createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, HASH_DIGITS);
}

/** Whether a job's result is a resumable stream's: kept until the stream is past it, not until it is read. */
export function isStreamJob(jobId: string): boolean {
  return STREAM_JOB.test(jobId);
}
