import { FarmError } from '@embedfarm/contract';
import type { EncodeText } from '@embedfarm/sdk';

const SEPARATOR = '|||';
const BETWEEN = ` ${SEPARATOR} `;

/**
 * A text as bert-as-service reads it. A string of one line is a pair where it holds ` ||| `: the last one divides it. Of
 * a list of tokens the first token `|||` does.
 *
 * Source: https://github.com/hanxiao/bert-as-service (1.10.0), server/bert_serving/server/bert/extract_features.py.
 */
export function bertText(text: unknown, isTokenized: boolean, name: string): EncodeText {
  if (isTokenized) {
    if (!Array.isArray(text)) refuse(`${name} must be a list of tokens, as is_tokenized is true`);
    const tokens = text as string[];
    const at = tokens.indexOf(SEPARATOR);
    return at === -1 ? tokens : [tokens.slice(0, at), tokens.slice(at + 1)];
  }
  if (typeof text !== 'string') refuse(`${name} must be a string`);
  const at = text.includes('\n') ? -1 : text.lastIndexOf(BETWEEN);
  return at === -1 ? text : [text.slice(0, at), text.slice(at + BETWEEN.length)];
}

function refuse(fault: string): never {
  throw new FarmError('invalid_argument', fault);
}
