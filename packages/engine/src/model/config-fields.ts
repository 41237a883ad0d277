/** DistilBERT's names of fields that all others call by one name. */
const DISTILBERT_FIELDS = {
  dim: 'hidden_size',
  n_layers: 'num_hidden_layers',
  n_heads: 'num_attention_heads',
};

/**
 * A config.json with the names of fields that all families but DistilBERT use.
 *
 * Source: https://github.com/huggingface/transformers/blob/main/src/transformers/models/distilbert/configuration_distilbert.py
 */
export function withUsualFields(config: unknown): unknown {
  if (typeof config !== 'object' || config === null) return config;
  if (!('model_type' in config) || config.model_type !== 'distilbert') return config;
  const fields = new Map<string, unknown>(Object.entries(config));
  const renamed = Object.entries(DISTILBERT_FIELDS).map(([own, usual]) => [usual, fields.get(own)]);
  return { ...Object.fromEntries(renamed), ...config };
}
