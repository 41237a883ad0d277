import { FarmError, textFault, type EncodeText } from '@embedfarm/contract';

/** A string, or a list of tokens that are looked up as they are. */
export type Segment = string | readonly string[];

/** A text that is more than a string: a list of tokens, or a pair. */
export interface SegmentedText {
  readonly segments: readonly [Segment] | readonly [Segment, Segment];
}

/** What the tokenizer takes for a text, or why it takes none. */
export type TokenizerText = string | SegmentedText | FarmError;

/** A text that came from outside, in the form that the tokenizer takes; the callers' types do not hold on a wire. */
export function tokenizerText(text: unknown, { tokens }: { readonly tokens: boolean }): TokenizerText {
  const fault = textFault(text, { tokens }, 'the text');
  if (fault !== undefined) return new FarmError('invalid_argument', fault);
  return segmentedText(text as EncodeText, tokens);
}

function segmentedText(text: EncodeText, tokens: boolean): string | SegmentedText {
  if (typeof text === 'string') return text;
  const isPair = !tokens || Array.isArray(text[0]);
  return isPair ? { segments: [text[0] ?? '', text[1] ?? ''] } : { segments: [text as readonly string[]] };
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
  return segment.reduce((sum, token) => sum + token.length + 1, 0);
}
