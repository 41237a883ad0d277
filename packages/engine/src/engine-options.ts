import { hubOptionsSchema } from '@embedfarm/checkpoint/hub/hub-options';
import { POOLINGS } from '@embedfarm/checkpoint/pooling';
import { WEIGHT_DTYPES } from '@embedfarm/contract';
import { z } from 'zod';

export const engineOptionsSchema = z.strictObject({
  /**
   * `embedded` for the model that the farm brings along, else a directory: a model in Hugging Face layout
   * with its ONNX graph, or weights, which are converted once: a BERT (Google's checkpoint, safetensors), RoBERTa,
   * XLM-RoBERTa, DistilBERT or MPNet (safetensors). Where nothing is at that path, the id of a model on the hub,
   * `org/name` or `org/name@revision`, which is downloaded once.
   */
  model: z.string().min(1).default('embedded'),

  ...hubOptionsSchema.shape,

  /**
   * Where the embedded model, downloaded and converted ones are kept. Default: `embedfarm` in XDG_CACHE_HOME or
   * ~/.cache.
   */
  cacheDir: z.string().min(1).optional(),

  /**
   * What runs the model, with commas between: `cpu` is one device per core that the process may use, `cpu:N`
   * is N of them (more than cores only share them), `cuda:1` an NVIDIA card (`cuda` is the first), `webgpu`
   * the system's graphics adapter. `auto` is the best of these that the machine has.
   */
  devices: z.string().min(1).default('cpu'),

  /**
   * Batches in flight per device: one runs, the next is ready. 1 leaves the device idle between
   * batches; more than 2 only adds latency. Default: 2.
   */
  slots: z.int().min(1).max(8).optional(),

  /**
   * Most tokens one batch may cost a device: real tokens where the graph is packed, `rows × longest row`
   * elsewhere. On a core 128 to 384 give the same speed; more misses the caches. Default: 256 on a core,
   * thousands on a card.
   */
  tokenBudget: z.int().min(16).max(1_048_576).optional(),

  /**
   * Measure at the start which token budget is the fastest on each device, for 2 s at most, and keep it in the
   * cache folder. Without effect where `tokenBudget` is said.
   */
  calibrate: z.boolean().default(false),

  /**
   * While nothing runs, a lone text may take all cores together instead of one, where that is measured to be
   * faster: see docs/devices.md. Costs the memory of one more session; without effect with one core or a card.
   */
  lowLatency: z.boolean().default(true),

  /**
   * Texts that are sorted by length together. Fewer pad more, more wait longer for their turn. Default: 256,
   * more where a token budget is larger than 4,096.
   */
  windowTexts: z.int().min(64).max(65_536).optional(),

  /**
   * Hidden states to vectors: `none` (one a token), `mean`, `max`, `mean_max`, `cls`, `last_token` or
   * `cls_pooled`. Default: what the model's `1_Pooling/config.json` says, else `mean`.
   */
  pooling: z.enum(POOLINGS).optional(),

  /**
   * Encoder blocks whose states are pooled, side by side in this order: 0 is the first block, -1 the last.
   * A model directory gives those that it was written with; the embedded model gives any. `cls_pooled`
   * takes the last. Default: the directory's, else the last.
   */
  poolingLayers: z.array(z.int().min(-1_000).max(999)).min(1).max(64).optional(),

  /** No token attends to special tokens ([CLS], [SEP]), and they are not pooled. `cls` is taken none the less. */
  maskClsSep: z.boolean().default(false),

  /** Longest sequence in tokens, special ones included: the rest is cut. Default and most: what the model takes. */
  maxSequenceLength: z.int().min(3).max(65_536).optional(),

  /** Whether capitals and accents are taken off before tokens are looked up. Default: what the tokenizer says. */
  lowercase: z.boolean().optional(),

  /**
   * How the blocks' matrices are kept and multiplied: `float32`, or `int8` (two to three times as fast, a quarter
   * of the memory). `int8` is compared with float32 once, and refused with the measured cosine where a vector
   * strays too far. It is made of weights (a checkpoint, safetensors); a directory with a graph has the dtype
   * that it was written with. Default: what the directory has, else `float32`.
   */
  dtype: z.enum(WEIGHT_DTYPES).optional(),

  /**
   * Reads every byte of the model and of what is cached of it, and refuses what is damaged. Else sizes, times of
   * change and the first bytes are looked at.
   */
  verify: z.boolean().default(false),

  /** Scale every vector to length 1. Default: whether the model's modules.json names Normalize, else true. */
  normalize: z.boolean().optional(),
});

/** What a caller may write: every field is optional. */
export type EngineOptions = z.input<typeof engineOptionsSchema>;
export type ResolvedEngineOptions = z.output<typeof engineOptionsSchema>;
