/** How WordPiece cuts a text, as in `PackedModel`. */
export interface WordPieceCasing {
  readonly lowercase: boolean;
  readonly stripAccents: boolean | null;
  readonly splitHan: boolean;
}

/** Those that MPNet's tokenizer needs. */
export const MPNET_NEEDED_TOKENS = ['<s>', '</s>', '[UNK]'] as const;

const SPECIAL_TOKENS = ['<s>', '<pad>', '</s>', '<unk>', '[UNK]', '<mask>'];

/**
 * The `tokenizer.json` that Hugging Face makes of MPNet's vocab.txt: BERT's WordPiece, but RoBERTa's words
 * around a text.
 *
 * @param entries WordPiece entries by id; `MPNET_NEEDED_TOKENS` are among them.
 *
 * Source: https://github.com/huggingface/transformers/blob/main/src/transformers/models/mpnet/tokenization_mpnet.py
 */
export function mpnetTokenizerJson(
  entries: readonly string[],
  { lowercase, stripAccents, splitHan }: WordPieceCasing,
): Record<string, unknown> {
  const vocab = Object.fromEntries(entries.map((token, id) => [token, id]));
  const special = SPECIAL_TOKENS.filter((token) => Object.hasOwn(vocab, token));
  const end = (token: string): [string, number] => [token, vocab[token] ?? 0];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((content) => ({
      id: vocab[content],
      content,
      single_word: false,
      // It takes the space before it along.
      lstrip: content === '<mask>',
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: splitHan,
      strip_accents: stripAccents,
      lowercase,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'RobertaProcessing',
      sep: end('</s>'),
      cls: end('<s>'),
      trim_offsets: true,
      add_prefix_space: false,
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}

/** The fields of a tokenizer_config.json that go with it. */
export function mpnetTokenizerConfig({
  lowercase,
  stripAccents,
  splitHan,
}: WordPieceCasing): Record<string, unknown> {
  return {
    tokenizer_class: 'MPNetTokenizer',
    do_lower_case: lowercase,
    strip_accents: stripAccents,
    tokenize_chinese_chars: splitHan,
    bos_token: '<s>',
    eos_token: '</s>',
    sep_token: '</s>',
    cls_token: '<s>',
    unk_token: '[UNK]',
    pad_token: '<pad>',
    mask_token: '<mask>',
  };
}
