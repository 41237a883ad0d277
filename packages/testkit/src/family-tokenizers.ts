import { embeddedVocabulary } from '@embedfarm/checkpoint/embedded-vocabulary';
import type { ModelType } from '@embedfarm/checkpoint/family/encoder-family';

/** Tokenizer files of a family in miniature, by their name, and how many tokens they know. */
export interface FamilyTokenizer {
  readonly files: Readonly<Record<string, string>>;
  readonly tokens: readonly string[];
}

/** What Hugging Face has for the family: WordPiece, byte-level BPE, or a Unigram. */
export function familyTokenizer(modelType: ModelType): FamilyTokenizer {
  switch (modelType) {
    case 'bert':
    case 'distilbert':
      return wordPiece(embeddedVocabulary());
    case 'mpnet': {
      const words = embeddedVocabulary().filter((entry) => !/^\[[A-Z]+\]$/.test(entry));
      return wordPiece(['<s>', '<pad>', '</s>', '<unk>', '[UNK]', ...words, '<mask>']);
    }
    case 'roberta':
      return byteLevelBpe();
    case 'xlm-roberta':
    case 'camembert':
      return unigram();
  }
}

function wordPiece(tokens: readonly string[]): FamilyTokenizer {
  return { files: { 'vocab.txt': `${tokens.join('\n')}\n` }, tokens };
}

const SPECIAL_TOKENS = ['<s>', '<pad>', '</s>', '<unk>'];

// A space is the byte 0x20, which is written Ġ.
const MERGES = ['t h', 'th e', 'Ġ the', 'i n', 'e r', 'r i', 'v er', 'ri ver', 'Ġ river'];

/** As roberta-base's, with nine merges. */
function byteLevelBpe(): FamilyTokenizer {
  const tokens = [
    ...SPECIAL_TOKENS,
    ...byteCharacters(),
    ...MERGES.map((pair) => pair.replace(' ', '')),
    '<mask>',
  ];
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return tokenizerJson(tokens, {
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: {
      type: 'RobertaProcessing',
      sep: ['</s>', 2],
      cls: ['<s>', 0],
      trim_offsets: true,
      add_prefix_space: false,
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: MERGES,
    },
  });
}

/**
 * The character of every byte: printable ones stand for themselves, the others follow from U+0100 on.
 *
 * Source: https://github.com/openai/gpt-2/blob/master/src/encoder.py, bytes_to_unicode
 */
function byteCharacters(): string[] {
  const isPrintable = (byte: number): boolean =>
    (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isPrintable(byte) ? byte : next++));
}

/** As xlm-roberta-base's, with the embedded model's words. */
function unigram(): FamilyTokenizer {
  const words = embeddedVocabulary().filter((entry) => /^[\p{L}\p{P}]+$/u.test(entry));
  const letters = words.filter((word) => word.length === 1);
  const pieces = [...words.map((word) => `▁${word}`), '▁', ...letters];
  const tokens = [...SPECIAL_TOKENS, ...pieces, '<mask>'];
  const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };
  return tokenizerJson(tokens, {
    normalizer: { type: 'NFKC' },
    pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, metaspace] },
    post_processor: {
      type: 'TemplateProcessing',
      single: [special('<s>'), { Sequence: { id: 'A', type_id: 0 } }, special('</s>')],
      pair: [special('<s>'), { Sequence: { id: 'A', type_id: 0 } }, special('</s>'), special('</s>')].concat([
        { Sequence: { id: 'B', type_id: 0 } },
        special('</s>'),
      ]),
      special_tokens: {
        '<s>': { id: '<s>', ids: [0], tokens: ['<s>'] },
        '</s>': { id: '</s>', ids: [2], tokens: ['</s>'] },
      },
    },
    model: {
      type: 'Unigram',
      unk_id: 3,
      // Long pieces are the likelier ones.
      vocab: tokens.map((token, id) => [token, id < SPECIAL_TOKENS.length ? 0 : -20 / token.length]),
      byte_fallback: false,
    },
  });
}

function special(id: string): { SpecialToken: { id: string; type_id: number } } {
  return { SpecialToken: { id, type_id: 0 } };
}

function tokenizerJson(tokens: readonly string[], parts: Readonly<Record<string, unknown>>): FamilyTokenizer {
  const added = [...SPECIAL_TOKENS, '<mask>'].map((content) => ({
    id: tokens.indexOf(content),
    content,
    single_word: false,
    lstrip: content === '<mask>',
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const content = { version: '1.0', truncation: null, padding: null, added_tokens: added, ...parts };
  return { files: { 'tokenizer.json': JSON.stringify(content) }, tokens };
}
