import { FarmError } from '@embedfarm/contract';

/** The list of texts, and lists of tokens in it. */
const MAX_DEPTH = 2;
/** Texts and tokens of a request: 262,144 texts of 60 tokens. Parsed they take a GB at most. */
const MAX_ELEMENTS = 16_777_216;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;

/**
 * Looks at JSON before it is parsed: what nests deep, or has objects without number, takes fifty times its own bytes
 * and could end the process. Whether it is JSON at all is left to the parser.
 *
 * @throws FarmError `invalid_argument`
 */
export function checkJsonShape(body: Buffer): void {
  let depth = 0;
  let elements = 1;
  for (let at = 0; at < body.length; at += 1) {
    switch (body[at] as number) {
      case QUOTE:
        at = endOfString(body, at);
        break;
      case COMMA:
        elements += 1;
        if (elements > MAX_ELEMENTS) throw refusal(`more than ${MAX_ELEMENTS} texts and tokens`);
        break;
      case OPEN_LIST:
        depth += 1;
        if (depth > MAX_DEPTH) throw refusal('a list in a list of tokens');
        break;
      case CLOSE_LIST:
        depth -= 1;
        break;
      case OPEN_OBJECT:
        throw refusal('an object');
      default:
    }
  }
}

/** Place of the quote that ends the string which begins at `from`; the body's end where none does. */
function endOfString(body: Buffer, from: number): number {
  let at = from;
  for (;;) {
    at = body.indexOf(QUOTE, at + 1);
    if (at < 0) return body.length;
    let backslashes = 0;
    while (body[at - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
}

function refusal(got: string): FarmError {
  return new FarmError(
    'invalid_argument',
    `the request must be a JSON list of strings, or of lists of strings; it has ${got}`,
  );
}
