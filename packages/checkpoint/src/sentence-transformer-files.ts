import type { Pooling } from './pooling.ts';

export interface SentenceTransformer {
  /** One that sentence-transformers does not know leaves its Pooling module out. */
  readonly pooling: Pooling;
  readonly normalize: boolean;
  readonly lowercase: boolean;
  /** Whether accents go; null, the default, is as `lowercase`. */
  readonly stripAccents?: boolean | null;
  /** Whether every Han character is a word of its own; true by default. */
  readonly splitHan?: boolean;
  /** Fields of the tokenizer_config.json, but for the length; those of a BertTokenizer by default. */
  readonly tokenizerConfig?: Readonly<Record<string, unknown>>;
  /** Whether texts are made lower case before the tokenizer sees them; false by default. */
  readonly lowercaseFirst?: boolean;
  /** Whether the tokens of a prompt are pooled; true by default. */
  readonly includePrompt?: boolean;
  /** Of a token's states. */
  readonly dimensions: number;
  readonly maxSequenceLength: number;
}

/** The small files of a sentence-transformers directory: path → JSON content. */
export function sentenceTransformerFiles(model: SentenceTransformer): Record<string, unknown> {
  const mode = MODES[model.pooling];
  const modules = [
    { path: '', type: 'Transformer' },
    ...(mode ? [{ path: '1_Pooling', type: 'Pooling' }] : []),
    ...(model.normalize ? [{ path: '2_Normalize', type: 'Normalize' }] : []),
  ];
  return {
    'modules.json': modules.map(({ path, type }, index) => ({
      idx: index,
      name: String(index),
      path,
      type: `sentence_transformers.models.${type}`,
    })),
    ...(mode ? { '1_Pooling/config.json': poolingConfig(model, mode) } : {}),
    // Lower case is the tokenizer's part, but where it has none.
    'sentence_bert_config.json': {
      max_seq_length: model.maxSequenceLength,
      do_lower_case: model.lowercaseFirst ?? false,
    },
    'tokenizer_config.json': {
      ...(model.tokenizerConfig ?? bertTokenizerConfig(model)),
      model_max_length: model.maxSequenceLength,
    },
  };
}

function bertTokenizerConfig(model: SentenceTransformer): Record<string, unknown> {
  return {
    tokenizer_class: 'BertTokenizer',
    do_lower_case: model.lowercase,
    strip_accents: model.stripAccents ?? null,
    tokenize_chinese_chars: model.splitHan ?? true,
    unk_token: '[UNK]',
    sep_token: '[SEP]',
    pad_token: '[PAD]',
    cls_token: '[CLS]',
    mask_token: '[MASK]',
  };
}

const MODES: Partial<Record<Pooling, string>> = {
  cls: 'pooling_mode_cls_token',
  mean: 'pooling_mode_mean_tokens',
  max: 'pooling_mode_max_tokens',
  last_token: 'pooling_mode_lasttoken',
};

/** Whether a Pooling module says all of it. */
export function isKnownToSentenceTransformers(pooling: Pooling): boolean {
  return MODES[pooling] !== undefined;
}

function poolingConfig(
  { dimensions, includePrompt = true }: SentenceTransformer,
  mode: string,
): Record<string, unknown> {
  const modes = [...Object.values(MODES), 'pooling_mode_mean_sqrt_len_tokens'];
  return {
    word_embedding_dimension: dimensions,
    ...Object.fromEntries(modes.map((name) => [name, name === mode])),
    include_prompt: includePrompt,
  };
}
