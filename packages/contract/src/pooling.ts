/**
 * How hidden states become vectors.
 *
 * - `none`: each token keeps its own.
 * - `mean`, `max`, `mean_max`: over the tokens, special ones included; `mean_max` is both, mean first.
 * - `cls`, `last_token`: the first token's, the last one's.
 * - `cls_pooled`: the first token's of the last block, through the model's pooler.
 */
export const POOLINGS = ['none', 'mean', 'max', 'mean_max', 'cls', 'last_token', 'cls_pooled'] as const;
export type Pooling = (typeof POOLINGS)[number];
