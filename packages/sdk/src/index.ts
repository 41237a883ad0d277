export {
  FarmError,
  type EncodeText,
  type FarmErrorCode,
  type Receipt,
  type VectorDtype,
} from '@embedfarm/contract';
export type { MemoryOptions } from '@embedfarm/farm/memory';
export type { FarmStatus, ModelStatus } from '@embedfarm/farm/inspect';
export {
  REQUEST_STATES,
  type FailedText,
  type FarmLimits,
  type NewFarmLimits,
  type ProducerOptions as ConnectOptions,
  type RequestState,
  type RetriedRequest,
  type TextSource,
} from '@embedfarm/farm/producer';
export type {
  EncodeCallOptions,
  RequestsOptions,
  ResultOptions,
  RowsOptions,
  StreamCallOptions,
  SubmitCallOptions,
  WaitOptions,
} from './call-options.ts';
export { EmbeddingFarm } from './embedding-farm.ts';
export {
  Embeddings,
  type AnyEmbeddings,
  type EmbeddingsOf,
  type Timing,
  type VectorOf,
} from './embeddings.ts';
export { readFarmStatus } from './read-farm-status.ts';
export type { EncodedChunk, EncodedRow } from './encoded-row.ts';
export { RequestHandle, SubmittedRequest, type RequestStatus, type WebhookStatus } from './request-handle.ts';
export { TextsFailedError } from './texts-failed-error.ts';
