export {
  FarmError,
  type EncodeText,
  type FarmErrorCode,
  type Receipt,
  type VectorDtype,
} from '@embedfarm/contract';
export type { FarmStatus, ModelStatus } from '@embedfarm/farm/inspect';
export type {
  FailedText,
  FarmLimits,
  NewFarmLimits,
  ProducerOptions as ConnectOptions,
  RequestState,
} from '@embedfarm/farm/producer';
export type { EncodeCallOptions, SubmitCallOptions, WaitOptions } from './call-options.ts';
export { EmbeddingFarm } from './embedding-farm.ts';
export {
  Embeddings,
  type AnyEmbeddings,
  type EmbeddingsOf,
  type Timing,
  type VectorOf,
} from './embeddings.ts';
export { readFarmStatus } from './read-farm-status.ts';
export { RequestHandle, type RequestStatus } from './request-handle.ts';
export { TextsFailedError } from './texts-failed-error.ts';
