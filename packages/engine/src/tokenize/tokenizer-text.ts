import { FarmError, textFault, type TokenList } from '@embedfarm/contract';

/** A string, or a list of tokens that are looked up as they are, or their ids. */
export type Segment = string | TokenList;

/** A text that is more than a string: a list of tokens, or a pair. */
export interface SegmentedText {
  readonly segments: readonly [Segment] | readonly [Segment, Segment];
}

/** What the tokenizer takes for a text, or why it takes none. */
export type TokenizerText = string | SegmentedText | FarmError;

/** How the texts of a call are meant. */
export interface TextReading {
  /** Whether they are lists of tokens. */
  readonly tokens: boolean;
  /** Goes before a string, and before the first of a pair; lists of tokens have none. */
  readonly prompt?: string;
}

/** A text that came from outside, in the form that the tokenizer takes; the callers' types do not hold on a wire. */
export function tokenizerText(text: unknown, { tokens, prompt = '' }: TextReading): TokenizerText {
  const fault = textFault(text, { tokens }, 'the text');
  if (fault !== undefined) return new FarmError('invalid_argument', fault);
  return tokens ? listText(text as TokenText) : stringText(text as string | readonly string[], prompt);
}

type TokenText = TokenList | readonly [TokenList, TokenList];

function listText(text: TokenText): SegmentedText {
  const [first, second] = text;
  if (typeof first === 'object' && typeof second === 'object') return { segments: [first, second] };
  return { segments: [text as TokenList] };
}

function stringText(text: string | readonly string[], prompt: string): string | SegmentedText {
  if (typeof text === 'string') return `${prompt}${text}`;
  const [first = '', second = ''] = text;
  return { segments: [`${prompt}${first}`, second] };
}

export function isSegmented(text: TokenizerText): text is SegmentedText {
  return typeof text !== 'string' && !(text instanceof FarmError);
}

/** UTF-16 units, about; what it costs to tokenize grows with them. */
export function unitsOf(text: TokenizerText): number {
  if (typeof text === 'string') return text.length;
  if (text instanceof FarmError) return 0;
  return text.segments.reduce((sum, segment) => sum + segmentUnits(segment), 0);
}

function segmentUnits(segment: Segment): number {
  if (typeof segment === 'string') return segment.length;
  let units = segment.length;
  for (const token of segment) if (typeof token === 'string') units += token.length;
  return units;
}
