import type { EncodeText } from '@embedfarm/sdk';

/** How the texts of the command line are written. */
export interface TextForm {
  /** A line with ` ||| ` in it is a pair. */
  readonly pairs: boolean;
  /** Lines are tokens with spaces between. */
  readonly tokens: boolean;
}

const SEPARATOR = '|||';

/**
 * Lines to texts, with pairs as bert-as-service writes them: a string is parted at its last ` ||| `, a list of tokens
 * at its first token `|||`.
 *
 * Source: https://github.com/hanxiao/bert-as-service (1.10.0), server/bert_serving/server/bert/extract_features.py.
 */
export function encodeTexts(lines: readonly string[], form: TextForm): EncodeText[] {
  return lines.map((line) => encodeText(line, form));
}

/** One line. */
export function encodeText(line: string, form: TextForm): EncodeText {
  return form.tokens ? tokensOf(line, form) : stringsOf(line, form);
}

function stringsOf(line: string, { pairs }: TextForm): EncodeText {
  const at = pairs ? line.lastIndexOf(` ${SEPARATOR} `) : -1;
  return at < 0 ? line : [line.slice(0, at), line.slice(at + SEPARATOR.length + 2)];
}

function tokensOf(line: string, { pairs }: TextForm): EncodeText {
  const tokens = line.split(' ').filter((token) => token !== '');
  const at = pairs ? tokens.indexOf(SEPARATOR) : -1;
  return at < 0 ? tokens : [tokens.slice(0, at), tokens.slice(at + 1)];
}
