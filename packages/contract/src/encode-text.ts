import { z } from 'zod';
import { FarmError, messageOf } from './farm-error.ts';
import { readGiven } from './read-given.ts';

/** Most bytes of one text, as `textBytes` counts them: a job stays near 1 MB, and one text is never cut into two jobs. */
export const MAX_TEXT_BYTES = 1_000_000;
/** Most tokens of one list of tokens: no model takes more. */
export const MAX_TEXT_TOKENS = 65_536;

/** Tokens as the vocabulary writes them, or their ids in it; never both in one list. */
export type TokenList = readonly string[] | readonly number[];

/**
 * What is encoded to one embedding: a string, or a pair of strings. Under the option `tokens`, a list of tokens, or a
 * pair of such lists.
 */
export type EncodeText = string | TokenList | readonly [TokenList, TokenList];

/** Largest id of a token: ids travel as int32. */
const MAX_TOKEN_ID = 2_147_483_647;

const tokenListSchema = z.union([
  z.array(z.string()).max(MAX_TEXT_TOKENS),
  z.array(z.int().min(0).max(MAX_TOKEN_ID)).max(MAX_TEXT_TOKENS),
]);

/** As a job holds it; which kind of text fits its options is seen when it is tokenized. */
export const encodeTextSchema = z.union([
  z.string(),
  tokenListSchema,
  z.tuple([tokenListSchema, tokenListSchema]),
]);

// Quotes and a comma in JSON.
const PART_BYTES = 3;
/** Of an id in JSON: no vocabulary has more than seven digits. */
const ID_BYTES = 5;

/** Bytes of a text in UTF-8, an id as 5; each part of a pair and each token counts 3 more. */
export function textBytes(text: EncodeText | number): number {
  if (typeof text === 'string') return Buffer.byteLength(text);
  if (typeof text === 'number') return ID_BYTES;
  let bytes = 0;
  for (const part of text) bytes += textBytes(part) + PART_BYTES;
  return bytes;
}

/**
 * The texts of a call, checked one by one.
 *
 * @param tokens whether they are lists of tokens.
 * @throws FarmError `invalid_argument` naming the index, the fault and the limit: an empty list, a
 * value of another kind, a lone surrogate (it has no UTF-8 form), a text over MAX_TEXT_BYTES or MAX_TEXT_TOKENS.
 */
export function parseTexts(texts: unknown, { tokens = false }: { tokens?: boolean } = {}): EncodeText[] {
  if (!Array.isArray(texts)) refuse(`texts must be a list of ${KINDS[`${tokens}`]}, got ${nameKind(texts)}`);
  if (texts.length === 0) refuse('texts is empty, at least 1 text is needed');
  // A hole in a sparse list reads as undefined, which the check names.
  for (let index = 0; index < texts.length; index += 1) {
    const fault = textFault(texts[index], { tokens }, `texts[${index}]`);
    if (fault !== undefined) refuse(fault);
  }
  return texts as EncodeText[];
}

const KINDS = { false: 'strings', true: 'lists of tokens' } as const;

/** The list of texts, pairs, lists of tokens. */
const TEXTS_DEPTH = 3;

/**
 * As parseTexts, of a list that is the caller's, who may fill it and its lists anew at any time: they are copied first.
 * The copies are plain lists, whatever the caller's lists are.
 */
export function copyTexts(
  texts: unknown,
  { tokens = false }: { tokens?: boolean | undefined } = {},
): EncodeText[] {
  return parseTexts(
    readGiven('texts', () => copyLists(texts, TEXTS_DEPTH)),
    { tokens },
  );
}

/** One text of an iterable: a copy of it, as copyTexts makes them, or what is wrong with it, see textFault. */
export function copyText(
  text: unknown,
  options: { readonly tokens: boolean },
  name: string,
):
  | { readonly text: EncodeText; readonly fault: undefined }
  | { readonly text: undefined; readonly fault: string } {
  let copied: unknown;
  try {
    copied = copyLists(text, TEXTS_DEPTH - 1);
  } catch (thrown) {
    return { text: undefined, fault: `${name} cannot be read: ${messageOf(thrown)}` };
  }
  const fault = textFault(copied, options, name);
  return fault === undefined ? { text: copied as EncodeText, fault } : { text: undefined, fault };
}

/** Longer than any list that passes. */
const MAX_COPIED_PARTS = MAX_TEXT_TOKENS + 1;

function copyLists(value: unknown, depth: number): unknown {
  if (depth === 0 || !Array.isArray(value)) return value;
  // Of the lists in a list no more is read than shows that they are too long.
  const length = depth === TEXTS_DEPTH ? value.length : Math.min(value.length, MAX_COPIED_PARTS);
  return Array.from({ length }, (_, index) => copyLists(value[index], depth - 1));
}

/**
 * What is wrong with a text.
 *
 * @param name of the text, for the message.
 * @returns undefined for an EncodeText of the kind that `tokens` asks for, within the limits.
 */
export function textFault(
  text: unknown,
  { tokens }: { readonly tokens: boolean },
  name: string,
): string | undefined {
  if (!tokens && typeof text === 'string') return stringFault(text, name);
  const fault = tokens ? tokensFault(text, name) : pairFault(text, name);
  if (fault !== undefined) return fault;
  const bytes = textBytes(text as EncodeText);
  return bytes > MAX_TEXT_BYTES ? `${name} has ${bytes} bytes, limit is ${MAX_TEXT_BYTES}` : undefined;
}

function pairFault(text: unknown, name: string): string | undefined {
  if (!Array.isArray(text)) return `${name} must be a string or a pair of strings, got ${nameKind(text)}`;
  if (text.length !== 2) return `${name} must be a string or a pair of strings, got a list of ${text.length}`;
  return stringsFault(text, name);
}

function tokensFault(text: unknown, name: string): string | undefined {
  if (!Array.isArray(text)) {
    return `${name} must be a list of tokens, as the option tokens is true, got ${nameKind(text)}`;
  }
  if (!Array.isArray(text[0])) return listFault(text, name);
  if (text.length !== 2)
    return `${name} must be a list of tokens or a pair of such lists, got ${text.length} lists`;
  return listFault(text[0], `${name}[0]`) ?? listFault(text[1], `${name}[1]`);
}

function listFault(list: unknown, name: string): string | undefined {
  if (!Array.isArray(list)) return `${name} must be a list of tokens, got ${nameKind(list)}`;
  if (list.length > MAX_TEXT_TOKENS) return `${name} has ${list.length} tokens, limit is ${MAX_TEXT_TOKENS}`;
  return typeof list[0] === 'number' ? idsFault(list, name) : stringsFault(list, name);
}

/** Either all of a list are ids, or none is. */
function idsFault(ids: readonly unknown[], name: string): string | undefined {
  const index = ids.findIndex((id) => !Number.isInteger(id) || Number(id) < 0 || Number(id) > MAX_TOKEN_ID);
  if (index === -1) return undefined;
  const id = ids[index];
  const got = typeof id === 'number' ? id : nameKind(id);
  return `${name}[${index}] must be the id of a token, from 0 to ${MAX_TOKEN_ID}, as the first one is; got ${got}`;
}

function stringsFault(strings: readonly unknown[], name: string): string | undefined {
  for (let index = 0; index < strings.length; index += 1) {
    const part = `${name}[${index}]`;
    const text = strings[index];
    const fault =
      typeof text === 'string' ? stringFault(text, part) : `${part} must be a string, got ${nameKind(text)}`;
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function stringFault(text: string, name: string): string | undefined {
  // A UTF-16 unit takes at most 3 bytes, so short texts are not measured.
  if (text.length * 3 > MAX_TEXT_BYTES) {
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_TEXT_BYTES) return `${name} has ${bytes} bytes, limit is ${MAX_TEXT_BYTES}`;
  }
  return text.isWellFormed() ? undefined : `${name} holds a lone surrogate, which has no UTF-8 form`;
}

function nameKind(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function refuse(fault: string): never {
  throw new FarmError('invalid_argument', fault);
}
