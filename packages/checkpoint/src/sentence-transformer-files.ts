export const POOLINGS = ['mean', 'cls', 'max'] as const;
/** How hidden states become one vector. */
export type Pooling = (typeof POOLINGS)[number];

export interface SentenceTransformer {
  readonly pooling: Pooling;
  readonly normalize: boolean;
  readonly lowercase: boolean;
  /** Whether accents go; null, the default, is as `lowercase`. */
  readonly stripAccents?: boolean | null;
  /** Whether every Han character is a word of its own; true by default. */
  readonly splitHan?: boolean;
  readonly dimensions: number;
  readonly maxSequenceLength: number;
}

/** The small files of a sentence-transformers directory: path → JSON content. */
export function sentenceTransformerFiles(model: SentenceTransformer): Record<string, unknown> {
  const modules = [
    { path: '', type: 'Transformer' },
    { path: '1_Pooling', type: 'Pooling' },
    ...(model.normalize ? [{ path: '2_Normalize', type: 'Normalize' }] : []),
  ];
  return {
    'modules.json': modules.map(({ path, type }, index) => ({
      idx: index,
      name: String(index),
      path,
      type: `sentence_transformers.models.${type}`,
    })),
    '1_Pooling/config.json': {
      word_embedding_dimension: model.dimensions,
      pooling_mode_cls_token: model.pooling === 'cls',
      pooling_mode_mean_tokens: model.pooling === 'mean',
      pooling_mode_max_tokens: model.pooling === 'max',
      pooling_mode_mean_sqrt_len_tokens: false,
    },
    // Lower case is the tokenizer's part; here it would be done a second time.
    'sentence_bert_config.json': { max_seq_length: model.maxSequenceLength, do_lower_case: false },
    'tokenizer_config.json': {
      tokenizer_class: 'BertTokenizer',
      do_lower_case: model.lowercase,
      strip_accents: model.stripAccents ?? null,
      tokenize_chinese_chars: model.splitHan ?? true,
      model_max_length: model.maxSequenceLength,
      unk_token: '[UNK]',
      sep_token: '[SEP]',
      pad_token: '[PAD]',
      cls_token: '[CLS]',
      mask_token: '[MASK]',
    },
  };
}
