import { FarmError, MAX_TEXT_TOKENS, textFault, type EncodeText } from '@embedfarm/contract';

const SEPARATOR = '|||';
const BETWEEN = ` ${SEPARATOR} `;

export interface BertTextPlace {
  readonly isTokenized: boolean;
  /** Of the text, for messages: `texts[3]`. */
  readonly name: string;
  /** What made it known whether texts are tokenized, for messages. */
  readonly because: string;
}

/**
 * A text as bert-as-service reads it. A string of one line is a pair where it holds ` ||| `: the last one divides it. Of
 * a list of tokens the first token `|||` does.
 *
 * @throws FarmError `invalid_argument` naming the text.
 *
 * Source: https://github.com/hanxiao/bert-as-service (1.10.0), server/bert_serving/server/bert/extract_features.py.
 */
export function bertText(given: unknown, { isTokenized, name, because }: BertTextPlace): EncodeText {
  const isFit = isTokenized ? Array.isArray(given) : typeof given === 'string';
  if (!isFit) {
    const wanted = isTokenized ? 'a list of tokens' : 'a string';
    refuse(`${name} must be ${wanted}, as ${because}; got ${kindOf(given)}`);
  }
  const text = isTokenized ? tokensOf(given as unknown[], name) : lineOf(given as string);
  const fault = textFault(text, { tokens: isTokenized }, name);
  if (fault !== undefined) refuse(fault);
  return text;
}

function lineOf(text: string): EncodeText {
  // BERT's tokenizer drops lone surrogates, and U+FFFD too, which this makes of them.
  const line = text.trim().toWellFormed();
  const at = line.includes('\n') ? -1 : line.lastIndexOf(BETWEEN);
  return at < 0 ? line : [line.slice(0, at), line.slice(at + BETWEEN.length)];
}

function tokensOf(given: readonly unknown[], name: string): EncodeText {
  if (given.length > MAX_TEXT_TOKENS) {
    refuse(`${name} has ${given.length} tokens, limit is ${MAX_TEXT_TOKENS}`);
  }
  const tokens = given.map((token, at) => {
    if (typeof token !== 'string') refuse(`${name}[${at}] must be a string, got ${kindOf(token)}`);
    return token.toWellFormed();
  });
  const at = tokens.indexOf(SEPARATOR);
  return at < 0 ? tokens : [tokens.slice(0, at), tokens.slice(at + 1)];
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : typeof value;
}

function refuse(fault: string): never {
  throw new FarmError('invalid_argument', fault);
}
