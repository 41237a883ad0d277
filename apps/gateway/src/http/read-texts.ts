import { FarmError, textFault } from '@embedfarm/contract';
import type { EncodeText } from '@embedfarm/sdk';

export interface ReadTexts {
  readonly texts: EncodeText[];
  /** Whether they are ids of tokens. */
  readonly tokens: boolean;
}

/**
 * A text, texts, the ids of a text's tokens, or lists of them.
 *
 * @param name of the field that they stand in, for messages.
 * @throws FarmError `invalid_argument` naming the place in it.
 */
export function readTexts(given: unknown, name: string, maxTexts: number): ReadTexts {
  if (typeof given === 'string') return { texts: [checked(given, name, false)], tokens: false };
  if (!Array.isArray(given)) refuse(`${name} must be a string or a list, got ${kindOf(given)}`);
  const list: readonly unknown[] = given;
  const [first] = list;
  if (list.length === 0) refuse(`${name} is empty, at least 1 text is needed`);
  if (typeof first === 'number') return { texts: [checked(list, name, true)], tokens: true };
  if (list.length > maxTexts) refuse(`${name} has ${list.length} texts, limit is ${maxTexts}`);
  const tokens = Array.isArray(first);
  return { texts: list.map((text, index) => checked(text, `${name}[${index}]`, tokens)), tokens };
}

/** Of the farm's texts a string, or ids. */
function checked(text: unknown, name: string, tokens: boolean): EncodeText {
  const isFit = tokens
    ? Array.isArray(text) && (text.length === 0 || typeof text[0] === 'number')
    : typeof text === 'string';
  if (!isFit) {
    const wanted = tokens ? 'a list of token ids' : 'a string';
    refuse(`${name} must be ${wanted}, as the first one is; got ${kindOf(text)}`);
  }
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
