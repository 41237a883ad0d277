import { z } from 'zod';
import { nameSchema } from './encode-request.ts';
import { WEIGHT_DTYPES } from './weight-dtype.ts';

/** One device as its worker reports it. */
export const deviceReportSchema = z.object({
  /** `cpu/0`, `cuda:0`, … */
  name: z.string(),
  slots: z.int().min(1),
  tokenBudget: z.int().min(1),
  /** Share of the last report's time in which a batch ran, 0 to 1. */
  busyShare: z.number().min(0).max(1),
  /** What runs it: `cpu`, `cuda`, `webgpu`. Older workers do not say. */
  provider: z.string().optional(),
  /** Measured at the start with this budget, while all devices ran; absent where nobody measured. */
  calibratedTokensPerSecond: z.number().positive().optional(),
});
export type DeviceReport = z.output<typeof deviceReportSchema>;

/** One worker as its heartbeat tells it. */
export const workerReportSchema = z.object({
  workerId: z.string(),
  host: z.string(),
  pid: z.int(),
  model: nameSchema,
  fingerprint: z.string(),
  state: z.enum(['running', 'draining', 'refused']),
  devices: z.array(deviceReportSchema),
  /** Over the last seconds. */
  textsPerSecond: z.number().min(0),
  tokensPerSecond: z.number().min(0),
  /** Texts in the worker's waiting line. */
  waitingTexts: z.int().min(0),
  residentBytes: z.number().min(0),
  startedAtMs: z.number(),
});
export type WorkerReport = z.output<typeof workerReportSchema>;

/** What a worker registers under a model's name. */
export const modelRegistrationSchema = z.object({
  model: nameSchema,
  /** Hash of all that decides a vector: weights, tokenizer, casing, layers, pooling, normalize, lengths, dtype. */
  fingerprint: z.string().min(1).max(128),
  dimensions: z.int().min(1),
  maxSequenceLength: z.int().min(1),
  pooling: z.string(),
  normalize: z.boolean(),
  /** Names of the prompts that the model has; left out where it has none. */
  promptNames: z.array(z.string()).optional(),
  /** The prompt that goes before every text where a call asks for no other. */
  defaultPromptName: z.string().optional(),
  /** How the model's matrices are kept. */
  dtype: z.enum(WEIGHT_DTYPES).default('float32'),
  /** False for the embedded random model: its vectors are exact, and mean nothing. */
  meaningful: z.boolean(),
});
export type ModelRegistration = z.output<typeof modelRegistrationSchema>;
