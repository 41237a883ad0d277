import { FarmError, type EncodeText } from '@embedfarm/contract';
import { bertText } from './bert-text.ts';
import { checkJsonShape } from './check-json-shape.ts';

/** The texts of a request, as the farm takes them. */
export interface DoorTexts {
  readonly texts: EncodeText[];
  /** Whether they are lists of tokens. */
  readonly tokens: boolean;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The JSON of a request. As in bert-as-service, texts are tokenized already where all of them are lists.
 *
 * @throws FarmError `invalid_argument` naming the index and the fault.
 */
export function readTexts(body: Buffer, { maxTexts }: { maxTexts: number }): DoorTexts {
  const list = parseList(body);
  if (list.length === 0) throw refusal('the list of texts is empty');
  if (list.length > maxTexts) throw refusal(`${list.length} texts, limit is ${maxTexts}`);
  const tokens = Array.isArray(list[0]);
  const place = { isTokenized: tokens, because: 'texts[0] is one' };
  return {
    texts: list.map((given, index) => bertText(given, { ...place, name: `texts[${index}]` })),
    tokens,
  };
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

function refusal(fault: string): FarmError {
  return new FarmError('invalid_argument', fault);
}
