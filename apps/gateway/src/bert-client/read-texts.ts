import { FarmError, MAX_TEXT_TOKENS, textFault, type EncodeText } from '@embedfarm/contract';
import { checkJsonShape } from './check-json-shape.ts';

/** The texts of a request, as the farm takes them. */
export interface DoorTexts {
  readonly texts: EncodeText[];
  /** Whether they are lists of tokens. */
  readonly tokens: boolean;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
const SEPARATOR = '|||';
const SPACED_SEPARATOR = ` ${SEPARATOR} `;

/**
 * The JSON of a request. As in bert-as-service, texts are tokenized already where all of them are lists; a string is a
 * pair where it has one line and ` ||| ` in it, the last one counts; of tokens the first `|||` does.
 *
 * @throws FarmError `invalid_argument` naming the index and the fault.
 */
export function readTexts(body: Buffer, { maxTexts }: { maxTexts: number }): DoorTexts {
  const list = parseList(body);
  if (list.length === 0) throw refusal('the list of texts is empty');
  if (list.length > maxTexts) throw refusal(`${list.length} texts, limit is ${maxTexts}`);
  const tokens = Array.isArray(list[0]);
  const texts = list.map((given, index) => {
    const text = tokens ? tokensOf(given, index) : textOf(given, index);
    const fault = textFault(text, { tokens }, `texts[${index}]`);
    if (fault !== undefined) throw refusal(fault);
    return text;
  });
  return { texts, tokens };
}

function parseList(body: Buffer): unknown[] {
  checkJsonShape(body);
  let parsed: unknown;
  try {
    parsed = JSON.parse(utf8.decode(body));
  } catch (cause) {
    throw new FarmError('invalid_argument', 'the request is not JSON in UTF-8', { cause });
  }
  if (!Array.isArray(parsed)) throw refusal('the request must be a JSON list of texts');
  return parsed;
}

function textOf(text: unknown, index: number): EncodeText {
  if (typeof text !== 'string') {
    throw refusal(`texts[${index}] must be a string, as texts[0] is one; got ${kindOf(text)}`);
  }
  // BERT's tokenizer drops lone surrogates, and U+FFFD too, which this makes of them.
  const line = text.trim().toWellFormed();
  const at = line.lastIndexOf(SPACED_SEPARATOR);
  if (at < 0 || line.includes('\n')) return line;
  return [line.slice(0, at), line.slice(at + SPACED_SEPARATOR.length)];
}

function tokensOf(text: unknown, index: number): EncodeText {
  if (!Array.isArray(text)) {
    throw refusal(`texts[${index}] must be a list of tokens, as texts[0] is one; got ${kindOf(text)}`);
  }
  if (text.length > MAX_TEXT_TOKENS) {
    throw refusal(`texts[${index}] has ${text.length} tokens, limit is ${MAX_TEXT_TOKENS}`);
  }
  const tokens = text.map((token: unknown, at) => {
    if (typeof token !== 'string') {
      throw refusal(`texts[${index}][${at}] must be a string, got ${kindOf(token)}`);
    }
    return token.toWellFormed();
  });
  const at = tokens.indexOf(SEPARATOR);
  return at < 0 ? tokens : [tokens.slice(0, at), tokens.slice(at + 1)];
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : typeof value;
}

function refusal(fault: string): FarmError {
  return new FarmError('invalid_argument', fault);
}
