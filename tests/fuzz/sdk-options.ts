import { hostileValue } from './hostile-values.ts';
import type { SeededRandom } from './seeded-random.ts';
import { MODEL } from './fuzz-worker.ts';

const WAIT = ['signal', 'timeoutMs', 'onProgress'];
const ENCODE = [
  'model',
  'normalize',
  'dimensions',
  'dtype',
  'truncate',
  'tokens',
  'promptName',
  'prompt',
  'returnTokens',
  'lane',
  'tenant',
  'cache',
  'whenOverloaded',
  ...WAIT,
];
/** Names that no call takes, and names that every object has. */
const NOBODYS = ['priority', '__proto__', 'constructor', 'toString', 'toJSON', 'then', 'modle'];

/** The options that each call takes. */
export const FIELDS = {
  encode: ENCODE,
  submit: [...ENCODE, 'label', 'webhook', 'resultTtlMs'],
  stream: [...ENCODE, 'id', 'position', 'order', 'window'],
  wait: WAIT,
  result: [...WAIT, 'consume'],
  rows: [...WAIT, 'order', 'from', 'consume'],
  requests: ['label', 'state', 'limit'],
  limits: ['texts', 'bytes', 'memoryShare'],
  memory: ['dimensions', 'maxSequenceLength', 'model'],
} as const;

/** Of the calls that wait: what bounds them, so that one without an end is seen. */
export const TIMEOUT_MS = 4_000;

/** Options in which one or two fields are hostile; now and then all of them are something else, or none is. */
export function hostileOptions(random: SeededRandom, call: keyof typeof FIELDS): unknown {
  if (random.chance(0.1)) return hostileValue(random);
  const options: Record<string, unknown> = {};
  if (call === 'encode' || call === 'submit' || call === 'stream') options['model'] = MODEL;
  if (call !== 'requests' && call !== 'limits' && call !== 'memory') options['timeoutMs'] = TIMEOUT_MS;
  for (let hostile = random.below(3); hostile > 0; hostile -= 1) {
    const name = random.chance(0.9) ? random.pick(FIELDS[call] as readonly string[]) : random.pick(NOBODYS);
    Object.defineProperty(options, name, {
      value: hostileValue(random),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return options;
}
