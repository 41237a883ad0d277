import type { EncodeRequest, EncodeText } from '@embedfarm/contract';
import type { TextSource } from '../request/gather-chunks.ts';
import type { EncodedChunk } from '../request/request-chunks.ts';
import type { CallOptions } from './encode-call.ts';
import type { EncodedTexts } from './encoded-texts.ts';
import type { TenantWeights } from '../queue/tenant-weights.ts';
import type { LimitStore } from '../redis/farm-limits.ts';
import type { StreamOptions } from './stream-options.ts';
import type { SubmittedRequests } from './submitted-requests.ts';

export type { EncodedChunk, StreamOptions, TextSource };

/** What the SDK needs of submitted requests. */
export type RequestsPort = Pick<
  SubmittedRequests,
  'submit' | 'read' | 'list' | 'cancel' | 'retry' | 'wait' | 'chunks' | 'result' | 'discard'
>;

/** What the SDK stands on: the producer of a farm in Redis, or the one of a farm in memory. */
export interface ProducerPort {
  readonly clientId: string;
  readonly requests: RequestsPort;
  readonly weights: Pick<TenantWeights, 'set' | 'remove' | 'list'>;
  readonly limits: Pick<LimitStore, 'read' | 'set'>;
  encode(texts: readonly EncodeText[], request: EncodeRequest, call: CallOptions): Promise<EncodedTexts>;
  stream(
    texts: TextSource,
    request: EncodeRequest,
    options: StreamOptions,
    call: CallOptions,
  ): AsyncIterableIterator<EncodedChunk>;
  /** Open calls and streams reject with `cancelled`. Safe to call twice. */
  close(): Promise<void>;
}
