import { parseArgs } from 'node:util';
import { FarmError, parseOptions } from '@embedfarm/contract';
import { z } from 'zod';

/** `a,b` of the items given. */
export const list = <Item extends string>(items: readonly [Item, ...Item[]]) =>
  z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(items)).min(1));

/** A whole number, 1 to `most`. */
export const count = (most: number) => z.coerce.number().pipe(z.int().min(1).max(most));

/** Flags of a command. One whose schema has the default `false` takes no value. */
export type FlagSchema<Options extends object> = z.ZodObject<z.ZodRawShape> & z.ZodType<Options>;

/**
 * @returns undefined where only help is asked for.
 * @throws FarmError `invalid_argument` naming the flag.
 */
export function parseFlags<Options extends object>(
  schema: FlagSchema<Options>,
  args: readonly string[],
): Options | undefined {
  const { help, ...values } = readFlags(schema, args);
  if (help === true) return undefined;
  return parseOptions('bench flags', schema, values);
}

/**
 * What repeats a run: `command`, and the flags that are not as by default, without folders, which are each
 * machine's own.
 */
export function repeatCommand<Options extends object>(
  command: readonly string[],
  schema: FlagSchema<Options>,
  options: Options,
): string {
  const defaults = Object.entries(schema.shape).map(([name, field]) => [name, defaultOf(field)]);
  const usual = new Map(defaults.map(([name, value]) => [name, String(value)] as [string, string]));
  const flags = Object.entries(options)
    .filter(([name, value]) => !FOLDERS.has(name) && String(value) !== usual.get(name))
    .map(([name, value]) => (value === true ? `--${name}` : `--${name} ${String(value)}`));
  const words = [...command, ...flags];
  return ['npm run bench', ...(words.length === 0 ? [] : ['--', ...words])].join(' ');
}

const FOLDERS = new Set(['out', 'cache-dir']);

function readFlags(schema: z.ZodObject<z.ZodRawShape>, args: readonly string[]) {
  const kinds = Object.entries(schema.shape).map(([name, field]) => {
    const type = defaultOf(field) === false ? 'boolean' : 'string';
    return [name, { type }] as const;
  });
  try {
    return parseArgs({
      args: [...args],
      options: { ...Object.fromEntries(kinds), help: { type: 'boolean' } },
    }).values;
  } catch (cause) {
    throw new FarmError('invalid_argument', (cause as Error).message, { cause });
  }
}

/** undefined for a flag without a default. */
function defaultOf(field: z.core.$ZodType): unknown {
  const parsed = z.safeParse(field, undefined);
  return parsed.success ? parsed.data : undefined;
}
