export {
  FARM_ERROR_CODES,
  FarmError,
  messageOf,
  parseFarmErrorCode,
  type FarmErrorCode,
  type FarmErrorOptions,
} from './farm-error.ts';
export { POOLINGS, type Pooling } from './pooling.ts';
export { WEIGHT_DTYPES, type WeightDtype } from './weight-dtype.ts';
export { checkOptions } from './check-options.ts';
export { fromFloat16, MAX_FLOAT16, toFloat16 } from './float16.ts';
export { quantizeRows } from './quantize-rows.ts';
export { cacheTtlOf, DEFAULT_CACHE_TTL_MS, type CacheOption } from './cache-option.ts';
export { BENCH_CURVES, benchCurveSchema, type BenchCurve } from './bench-curve.ts';
export { LANES, laneSchema, type Lane } from './lane.ts';
export {
  encodeOptionsSchema,
  encodeRequestSchema,
  nameSchema,
  parseEncodeRequest,
  parseOptions,
  type EncodeOptions,
  type EncodeRequest,
} from './encode-request.ts';
export {
  copyText,
  copyTexts,
  encodeTextSchema,
  MAX_TEXT_BYTES,
  MAX_TEXT_TOKENS,
  parseTexts,
  textBytes,
  textFault,
  type EncodeText,
  type TokenList,
} from './encode-text.ts';
export {
  encodeJobId,
  encodeJobSchema,
  MAX_CHUNK_BYTES,
  MAX_CHUNK_TEXTS,
  MAX_REQUEST_CHUNKS,
  MAX_TRACE_LENGTH,
  parseEncodeJob,
  parseJobId,
  parseRequestId,
  type EncodeJob,
} from './encode-job.ts';
export type { EncodeTiming, Receipt } from './receipt.ts';
export { readGiven } from './read-given.ts';
export { MAX_INLINE_BYTES, parseReply, REPLY_STATUSES, type Reply, type ReplyStatus } from './reply.ts';
export {
  deviceReportSchema,
  modelRegistrationSchema,
  workerReportSchema,
  type DeviceReport,
  type ModelRegistration,
  type WorkerReport,
} from './device-report.ts';
export {
  decodeVectorBlock,
  encodeVectorBlock,
  failedBlock,
  rowBytes,
  VECTOR_DTYPES,
  type FloatBlock,
  type TextFailure,
  type VectorBlock,
  type VectorDtype,
} from './vector-block.ts';
export { joinBlocks, sliceBlock } from './join-blocks.ts';
export { webhookUrlSchema } from './webhook-url.ts';
export { findWebhookHost, webhookHostsSchema, type WebhookHost } from './webhook-host.ts';
export { webhookKey, webhookSecretsSchema } from './webhook-secret.ts';
export {
  hidePassword,
  parseRedisAddress,
  redisAddressSchema,
  type RedisAddress,
  type RedisHost,
  type RedisLogin,
  type RedisTls,
} from './redis-address.ts';
export {
  FIRST_SHARD,
  queueName,
  redisKeys,
  shardPrefix,
  WEBHOOK_QUEUE,
  type RedisKeys,
} from './redis-keys.ts';
