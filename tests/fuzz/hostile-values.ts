import { hostileString } from './hostile-strings.ts';
import type { SeededRandom } from './seeded-random.ts';

/** What a hostile object throws. Nobody is asked to know it. */
export class Sentinel extends Error {
  override readonly name = 'Sentinel';
}

type Maker = (random: SeededRandom, depth: number) => unknown;

const NUMBERS: readonly unknown[] = [
  0,
  -0,
  1,
  -1,
  0.5,
  Number.NaN,
  Infinity,
  -Infinity,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  Number.MAX_VALUE,
  Number.MIN_VALUE,
  1n,
  10n ** 30n,
];

const MAKERS: readonly Maker[] = [
  () => undefined,
  () => null,
  () => true,
  () => false,
  (random) => random.pick(NUMBERS),
  (random) => random.pick(NUMBERS),
  hostileString,
  hostileString,
  hostileString,
  () => Symbol('hostile'),
  () => Symbol.asyncIterator,
  () => () => 'called',
  () => {
    return function thrower() {
      throw new Sentinel('called');
    };
  },
  () => class Hostile {},
  () => new Date(Number.NaN),
  () => /(a+)+$/,
  () => new Error('an error'),
  () => Promise.resolve('a promise'),
  () => new Map([['texts', ['a']]]),
  () => new Set(['a', 'b']),
  () => new WeakMap(),
  () => new ArrayBuffer(8),
  () => new Float32Array(4),
  () => new Uint8Array([1, 2, 3]),
  () => new DataView(new ArrayBuffer(4)),
  () => Buffer.from('text'),
  () => new String('boxed'),
  () => new Number(1),
  () => Object(Symbol('boxed')),
  () => Object(1n),
  () => globalThis,
  () => new AbortController().signal,
  () => AbortSignal.abort(null),
  () => AbortSignal.abort(Symbol('why')),
  () => Object.create(AbortSignal.prototype),
  () => new Proxy(new AbortController().signal, {}),
  () => ({ aborted: false, addEventListener: 1, removeEventListener: null }),
  () => new URL('redis://127.0.0.1:1'),
  () => Object.create(null),
  () => Object.freeze([]),
  () => ({ length: 3 }),
  () => ({ length: 2 ** 53, 0: 'a' }),
  () => JSON.parse('{"then":1}'),
  () => ({ toString: null, valueOf: null }),
  () => ({ toJSON: () => ({ texts: [] }) }),
  () => JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
  () => ({ ['__proto__']: { polluted: true } }),
  throwingGetters,
  throwingProxy,
  revokedProxy,
  sparseArray,
  () => new (class List extends Array<unknown> {})('a', 'b'),
  () => Object.assign(['a'], { toJSON: () => 1, extra: true }),
  circular,
  (random, depth) => nested(random, depth),
  (random, depth) => nested(random, depth),
  () => Array.from({ length: 3_000 }, () => 'a'),
  () => [['a', 'b', 'c']],
  () => [['a', 1]],
  () => [[['a'], ['b']]],
  (random) => [hostileString(random), hostileString(random)],
];

/** Anything: mostly not what was asked for. */
export function hostileValue(random: SeededRandom, depth = 2): unknown {
  return random.pick(MAKERS)(random, depth);
}

function nested(random: SeededRandom, depth: number): unknown {
  if (depth === 0) return random.pick(NUMBERS);
  const parts = Array.from({ length: random.below(4) }, () => hostileValue(random, depth - 1));
  if (random.chance(0.5)) return parts;
  return Object.fromEntries(parts.map((part) => [hostileString(random), part]));
}

function sparseArray(random: SeededRandom): unknown {
  const list: unknown[] = ['a'];
  list[1 + random.below(1_000)] = 'b';
  return list;
}

function circular(): unknown {
  const list: unknown[] = ['a'];
  list.push(list);
  return list;
}

function throwingGetters(): unknown {
  const thrower = (): never => {
    throw new Sentinel('got');
  };
  const made = {};
  for (const name of ['length', '0', 'model', 'signal', 'redis', 'from', 'timeoutMs', 'message', 'then']) {
    Object.defineProperty(made, name, { get: thrower, enumerable: true });
  }
  return made;
}

function throwingProxy(random: SeededRandom): unknown {
  const thrower = (): never => {
    throw new Sentinel('trapped');
  };
  const traps = ['get', 'has', 'ownKeys', 'getOwnPropertyDescriptor', 'getPrototypeOf'];
  const chosen = traps.filter(() => random.chance(0.5));
  return new Proxy(
    random.pick([{}, ['a', 'b'], () => 1]) as object,
    Object.fromEntries(chosen.map((trap) => [trap, thrower])),
  );
}

function revokedProxy(random: SeededRandom): unknown {
  const { proxy, revoke } = Proxy.revocable(random.pick([{}, ['a']]), {});
  revoke();
  return proxy;
}
