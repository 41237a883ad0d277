import type { SeededRandom } from './seeded-random.ts';

/** What somebody may give for a text, a name, an id or a label. */
const STRINGS: readonly string[] = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  'x\udfffy',
  '\u202eabc\u202c',
  'שלום עולם',
  'مرحبا',
  '👩‍👩‍👧‍👦🏳️‍🌈',
  'e\u0301\u0301\u0301\u0301',
  '\u2028\u2029\ufeff',
  '*',
  '[a-z]?\\*',
  "') redis.call('FLUSHALL') --",
  'return redis.call("KEYS", "*")',
  '\r\n*1\r\n$8\r\nFLUSHALL\r\n',
  '{embedfarm}:requests',
  '{}',
  '{a}{b}',
  'a:b:c',
  '::',
  '../../etc/passwd',
  '/',
  'C:\\nul',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'toJSON',
  'then',
  'NaN',
  'Infinity',
  '-0',
  '1e999',
  '0x7fffffff',
  '18446744073709551616',
  'null',
  'undefined',
  'true',
  '[]',
  '[object Object]',
  '"',
  '\\u0000',
  '%s%n%p',
  '${process.exit(1)}',
  '0-',
  '0-abc-1',
  '0-abc-1.0',
  '0-stream-x-y',
  'fake',
  'fake-bulk',
  'float64',
  'redis://127.0.0.1:1',
  'lease:bulk:',
  'EFVB',
];

const LONG = 300;
const HUGE = 1_000_000;
const ENORMOUS = 10_000_000;

/** Mostly short; one in a thousand has 10 MB. */
export function hostileString(random: SeededRandom): string {
  const luck = random.next();
  if (luck < 0.001) return 'z'.repeat(ENORMOUS);
  if (luck < 0.004) return random.pick(['y', 'ü', '漢', '👍']).repeat(HUGE / 2);
  if (luck < 0.03) return random.pick(['x', 'é ', '\0']).repeat(LONG);
  if (luck < 0.3) {
    return String.fromCharCode(...Array.from({ length: random.below(40) }, () => random.below(0x1_0000)));
  }
  return random.pick(STRINGS);
}
