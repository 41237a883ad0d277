import { types } from 'node:util';

/** What options may hold to be remembered: what cannot change behind our back. */
type Plain = string | number | boolean | undefined;

interface Known<Parsed> {
  readonly names: readonly string[];
  readonly values: readonly Plain[];
  readonly parsed: Parsed;
}

/**
 * The same options again are not parsed again. A place in a program calls with the same options each time, and to
 * parse them took a twentieth of the CPU of a call of one text in a client that makes seven calls a second.
 *
 * Only plain objects of plain values are remembered, the last one of them. What comes back may be shared: it is frozen,
 * a level deep.
 */
export function rememberOptions<Parsed extends object>(
  parse: (options: unknown) => Parsed,
): (options: unknown) => Parsed {
  let known: Known<Parsed> | undefined;
  return (options) => {
    if (known !== undefined && isKnown(options, known)) return known.parsed;
    const parsed = parse(options);
    known = plainEntries(options, parsed) ?? known;
    return parsed;
  };
}

function isKnown<Parsed>(options: unknown, { names, values }: Known<Parsed>): boolean {
  if (!isPlainObject(options)) return false;
  try {
    const own = Reflect.ownKeys(options);
    if (own.length !== names.length) return false;
    for (let index = 0; index < own.length; index += 1) {
      const name = own[index];
      // What is read here is all that is used: a getter that says something else the next time changes nothing.
      if (name !== names[index] || Reflect.get(options, name as string) !== values[index]) return false;
    }
    return true;
  } catch {
    // The parser finds the words.
    return false;
  }
}

/** undefined for what is not to be remembered. A getter may say something else the next time, so it is none. */
function plainEntries<Parsed extends object>(options: unknown, parsed: Parsed): Known<Parsed> | undefined {
  // A proxy may show something else than it gave to the parser.
  if (!isPlainObject(options) || types.isProxy(options)) return undefined;
  const names: string[] = [];
  const values: Plain[] = [];
  for (const name of Reflect.ownKeys(options)) {
    const property = Reflect.getOwnPropertyDescriptor(options, name);
    const value: unknown = property?.value;
    if (typeof name !== 'string' || property === undefined || !('value' in property) || !isPlain(value)) {
      return undefined;
    }
    names.push(name);
    values.push(value);
  }
  for (const part of Object.values(parsed)) Object.freeze(part);
  return { names, values, parsed: Object.freeze(parsed) };
}

/** One without a prototype of its own: what it inherits could change. */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return Object.getPrototypeOf(value) === Object.prototype;
  } catch {
    return false;
  }
}

function isPlain(value: unknown): value is Plain {
  return (
    value === undefined ||
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'boolean'
  );
}
