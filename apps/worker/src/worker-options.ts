import { nameSchema } from '@embedfarm/contract';
import { z } from 'zod';

export const workerOptionsSchema = z.strictObject({
  /** `redis://` or `rediss://` URL of the farm. */
  redis: z.string(),

  /** Hash-tagged prefix of the farm's keys; one Redis can hold several farms. */
  prefix: z.string().min(1).max(64).optional(),

  /** `embedded` for the model that the farm brings along, else a model directory in Hugging Face layout. */
  model: z.string().min(1).default('embedded'),

  /** The model's name in the farm. Default: the directory's name; workers of one name share its queues. */
  name: nameSchema.optional(),

  /** `cpu` is one device per core that the process may use, `cpu:N` is N of them. */
  devices: z.string().min(1).default('cpu'),

  /** Batches in flight per device: one runs, the next is ready. */
  slots: z.int().min(1).max(8).default(2),

  /** Most tokens a batch may cost a device; on a core 128 to 384 give the same speed. */
  tokenBudget: z.int().min(16).max(1_048_576).default(256),

  /** Where the embedded model is written. Default: `embedfarm` in XDG_CACHE_HOME or ~/.cache. */
  cacheDir: z.string().min(1).optional(),
});

/** What a caller may write: all but `redis` is optional. */
export type WorkerOptions = z.input<typeof workerOptionsSchema>;
