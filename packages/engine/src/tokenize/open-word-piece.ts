import { readFile } from 'node:fs/promises';
import type * as Tokenizers from 'tokenizers';
import type { ModelSpec } from '../model/model-spec.ts';
import { readBertPipeline, type AddedToken, type BertPipeline } from './bert-pipeline.ts';
import { CodePoints } from './code-points.ts';
import { SPECIAL_TOKENS } from './load-tokenizer.ts';
import { PieceTrie } from './piece-trie.ts';
import { WordPiece } from './word-piece.ts';

type Library = typeof Tokenizers;
type NativeTokenizer = Tokenizers.Tokenizer;

/**
 * The fast path of a tokenizer that `loadTokenizer` gave for this model.
 *
 * @returns undefined where the pipeline is not exactly BERT's.
 */
export async function openWordPiece(
  { files }: ModelSpec,
  native: NativeTokenizer,
): Promise<WordPiece | undefined> {
  const { kind, path } = files.tokenizer;
  const pipeline = kind === 'json' ? readBertPipeline(await readFile(path, 'utf8')) : BERT_PIPELINE;
  const [normalizer, preTokenizer] = [native.getNormalizer(), native.getPreTokenizer()];
  if (!pipeline || !normalizer || !preTokenizer) return undefined;
  const vocabulary = new Map(Object.entries(native.getVocab(false)));
  const unknownId = vocabulary.get(pipeline.unknownToken);
  const added = pipeline.addedTokens.map((token) => ({ ...token, id: native.tokenToId(token.content) }));
  const refused = refusedCodePoints(added, normalizer);
  // A token named `__proto__` does not reach us.
  const isWhole = vocabulary.size === native.getVocabSize(false);
  if (unknownId === undefined || !refused || !isWhole) return undefined;
  const literals = added.flatMap(({ content, isPlain, id }) =>
    isPlain && id !== null ? [{ content, id }] : [],
  );
  const library = (await import('tokenizers')).default as Library;
  const sources = {
    normalizer,
    preTokenizer,
    decompose: library.nfdNormalizer(),
    refused,
    idOf: (word: string): number => vocabulary.get(word) ?? unknownId,
  };
  return new WordPiece({
    codePoints: new CodePoints(sources, new Set(literals.map(({ content }) => firstOf(content)))),
    trie: new PieceTrie(vocabulary, pipeline.continuing),
    literals: literals.toSorted((a, b) => b.content.length - a.content.length),
    unknownId,
    maxWordCharacters: pipeline.maxWordCharacters,
  });
}

/** Of a vocab.txt, as `loadTokenizer` builds it. */
const BERT_PIPELINE: BertPipeline = {
  unknownToken: '[UNK]',
  continuing: '##',
  maxWordCharacters: 100,
  addedTokens: SPECIAL_TOKENS.map((content) => ({ content, isPlain: true, normalized: false })),
};

/**
 * Code points without which no added token that is not plain can stand in a text.
 *
 * @returns undefined where one may begin with white space, or is nothing once it is normalized.
 */
function refusedCodePoints(
  tokens: readonly AddedToken[],
  normalizer: Tokenizers.Normalizer,
): ReadonlySet<number> | undefined {
  const refused = new Set<number>();
  for (const { content, isPlain, normalized } of tokens) {
    if (isPlain) continue;
    const looked = normalized ? normalizer.normalizeString(content) : content;
    if (looked === '' || /^\s/u.test(looked)) return undefined;
    refused.add(firstOf(looked));
  }
  return refused;
}

function firstOf(content: string): number {
  return content.codePointAt(0) ?? 0;
}
