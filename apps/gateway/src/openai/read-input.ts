import { FarmError, textFault } from '@embedfarm/contract';
import type { EncodeText } from '@embedfarm/sdk';

/** As many as OpenAI takes: clients cut their lists there. */
const MAX_INPUTS = 2_048;

/**
 * A text, texts, token ids, or lists of them.
 *
 * @throws FarmError `invalid_argument` naming the place in `input`.
 */
export function readInput(input: unknown): { texts: EncodeText[]; tokens: boolean } {
  if (typeof input !== 'string' && !Array.isArray(input))
    refuse(`input must be a string or a list, got ${kindOf(input)}`);
  const list: readonly unknown[] = typeof input === 'string' ? [input] : input;
  const [first] = list;
  if (list.length === 0) refuse('input is empty, at least 1 text is needed');
  if (typeof first === 'number') return { texts: [checked(list, 'input', true)], tokens: true };
  if (list.length > MAX_INPUTS) refuse(`input has ${list.length} texts, limit is ${MAX_INPUTS}`);
  const tokens = Array.isArray(first);
  const nameOf = (index: number): string => (typeof input === 'string' ? 'input' : `input[${index}]`);
  return { texts: list.map((text, index) => checked(text, nameOf(index), tokens)), tokens };
}

/** Of the farm's texts a string, or ids. */
function checked(text: unknown, name: string, tokens: boolean): EncodeText {
  const isFit = tokens
    ? Array.isArray(text) && (text.length === 0 || typeof text[0] === 'number')
    : typeof text === 'string';
  if (!isFit)
    refuse(
      `${name} must be ${tokens ? 'a list of token ids' : 'a string'}, as the first one is; got ${kindOf(text)}`,
    );
  const fault = textFault(text, { tokens }, name);
  if (fault !== undefined) refuse(fault);
  return text as EncodeText;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : typeof value;
}

function refuse(fault: string): never {
  throw new FarmError('invalid_argument', fault);
}
