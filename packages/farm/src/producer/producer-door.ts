// What the SDK finds behind `@embedfarm/farm/producer`.
export { Producer } from './producer.ts';
export type { CallOptions } from './encode-call.ts';
export { producerOptionsSchema, type ProducerOptions } from './producer-options.ts';
export type { WhenOverloaded } from './overloaded.ts';
export type { FarmLimits, NewFarmLimits } from '../redis/farm-limits.ts';
export { TextsFailed, failedTexts, type EncodedTexts, type FailedText } from './encoded-texts.ts';
export { hidePassword } from '../redis/connect.ts';
export { withDeadline } from '../redis/with-deadline.ts';
export type { TextSource } from '../request/gather-chunks.ts';
export type { RequestFilter } from '../request/list-requests.ts';
export type { EncodedChunk, ReadOptions } from '../request/request-chunks.ts';
export {
  hasEnded,
  REQUEST_STATES,
  type RequestRecord,
  type RequestState,
} from '../request/request-record.ts';
export { requestEtaMs } from '../request/request-eta.ts';
export type { RetriedRequest } from '../request/retry-request.ts';
export type { TextRange } from './split-texts.ts';
export type { Filling, SubmitTerms } from './filling.ts';
export { interruptible } from './interruptible.ts';
export type { ProducerPort, RequestsPort } from './producer-port.ts';
export { streamOptionsSchema, type StreamOptions } from './stream-options.ts';
export { JOB_TERMS } from '../queue/encode-queue.ts';
