import type { EncodeJob } from '@embedfarm/contract';

/** What is known of a chunk whose job is gone, or cannot be read. */
export type KnownChunk = Pick<
  EncodeJob,
  'requestId' | 'chunkIndex' | 'clientId' | 'model' | 'fingerprint' | 'tracked' | 'awaited' | 'resultTtlMs'
> & {
  /** Number of its texts. */
  readonly texts: number;
};

/** A job to settle a chunk with, in the place of its own. Its texts are as many, and empty. */
export function standInJob({ texts, ...known }: KnownChunk): EncodeJob {
  return {
    ...known,
    version: 1,
    texts: Array.from({ length: texts }, () => ''),
    options: { dtype: 'float32', truncate: 'end' },
    deadlineMs: 0,
  };
}
