const CLS = '[CLS]';
const SEP = '[SEP]';
const SPECIAL_TOKENS = ['[PAD]', '[UNK]', CLS, SEP, '[MASK]'];

/** The `tokenizer.json` of an uncased BERT with these WordPiece entries, as Hugging Face's models have it. */
export function hubTokenizer(vocabulary: readonly string[]): object {
  const idOf = (token: string): number => vocabulary.indexOf(token);
  const special = (token: string) => ({ SpecialToken: { id: token, type_id: 0 } });
  const named = (token: string) => [token, { id: token, ids: [idOf(token)], tokens: [token] }] as const;
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL_TOKENS.map((content) => ({
      id: idOf(content),
      content,
      special: true,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
    })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [special(CLS), { Sequence: { id: 'A', type_id: 0 } }, special(SEP)],
      pair: [
        special(CLS),
        { Sequence: { id: 'A', type_id: 0 } },
        special(SEP),
        { Sequence: { id: 'B', type_id: 1 } },
        { SpecialToken: { id: SEP, type_id: 1 } },
      ],
      special_tokens: Object.fromEntries([named(CLS), named(SEP)]),
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
    },
  };
}
