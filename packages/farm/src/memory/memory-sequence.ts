import type { EncodeOptions, EncodeText, TokenList } from '@embedfarm/contract';

/** A text as a model would see it, if its tokens were words. */
export interface MemorySequence {
  /** Special tokens included, after the cut. */
  readonly tokens: readonly string[];
  /** Tokens before the cut. */
  readonly length: number;
}

/**
 * `[CLS]`, the text's words and `[SEP]`; of a pair `[CLS]`, first, `[SEP]`, second, `[SEP]`. Of a pair that is too long
 * the longer part is cut first.
 */
export function toSequence(
  text: EncodeText,
  { truncate, tokens = false }: Pick<EncodeOptions, 'truncate' | 'tokens'>,
  maxSequenceLength: number,
): MemorySequence {
  const segments = segmentsOf(text, tokens);
  const special = segments.length + 1;
  const words = segments.reduce((total, segment) => total + segment.length, 0);
  const room = maxSequenceLength - special;
  const keep = words > room ? roomOf(segments, room) : segments.map(({ length }) => length);
  const kept = segments.map((segment, index) => {
    const count = keep[index] ?? 0;
    return truncate === 'start' ? segment.slice(segment.length - count) : segment.slice(0, count);
  });
  return { tokens: ['[CLS]', ...kept.flatMap((segment) => [...segment, '[SEP]'])], length: words + special };
}

function segmentsOf(text: EncodeText, tokens: boolean): (readonly string[])[] {
  if (typeof text === 'string') return [wordsOf(text)];
  if (!tokens) return (text as readonly string[]).map(wordsOf);
  const lists = Array.isArray(text[0]) ? (text as readonly TokenList[]) : [text as TokenList];
  return lists.map((list) => list.map(String));
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** The odd token that is left stays with the longer part, with the second where none is. */
function roomOf([first = [], second]: readonly (readonly string[])[], room: number): number[] {
  if (!second) return [room];
  const short = Math.min(first.length, second.length, Math.floor(room / 2));
  return first.length > second.length ? [room - short, short] : [short, room - short];
}
