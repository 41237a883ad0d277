import { z } from 'zod';
import { POOLINGS } from './device/pool-hidden.ts';

export const engineOptionsSchema = z.strictObject({
  /** `embedded` for the model that the farm brings along, else a model directory in Hugging Face layout. */
  model: z.string().min(1).default('embedded'),

  /** Where the embedded model is written. Default: `embedfarm` in XDG_CACHE_HOME or ~/.cache. */
  cacheDir: z.string().min(1).optional(),

  /**
   * What runs the model: `cpu` is one device per core that the process may use, `cpu:N` is N of them.
   * More devices than cores only share them.
   */
  devices: z.string().min(1).default('cpu'),

  /**
   * Batches in flight per device: one runs, the next is ready. 1 leaves the device idle between
   * batches; more than 2 only adds latency.
   */
  slots: z.int().min(1).max(8).default(2),

  /**
   * Most tokens one batch may cost a device: real tokens where the graph is packed, `rows × longest row`
   * elsewhere. On a core 128 to 384 give the same speed; more misses the caches.
   */
  tokenBudget: z.int().min(16).max(1_048_576).default(256),

  /** Texts that are sorted by length together. Fewer pad more, more wait longer for their turn. */
  windowTexts: z.int().min(64).max(65_536).default(256),

  /** Hidden states to one vector. Default: what the model's `1_Pooling/config.json` says, else `mean`. */
  pooling: z.enum(POOLINGS).optional(),

  /** Scale every vector to length 1. Default: whether the model's modules.json names Normalize, else true. */
  normalize: z.boolean().optional(),
});

/** What a caller may write: every field is optional. */
export type EngineOptions = z.input<typeof engineOptionsSchema>;
export type ResolvedEngineOptions = z.output<typeof engineOptionsSchema>;
