import { Sentinel, hostileValue } from './hostile-values.ts';
import type { SeededRandom } from './seeded-random.ts';

/** What a source knows of its case. */
export interface SourceCase {
  /** Ends sources that hang. */
  readonly letGo: AbortSignal;
  /** What the source has thrown. */
  readonly thrown: Set<unknown>;
}

/** Sources of texts that end badly, or not at all, or give what is no text. */
export function hostileSource(random: SeededRandom, { letGo, thrown: own }: SourceCase): unknown {
  const count = random.pick([0, 1, 3, 300]);
  const giving = (index: number): unknown =>
    random.chance(0.1) ? hostileValue(random) : `text ${index} of ${count}`;
  const thrown = (): unknown => {
    const fault = random.chance(0.5) ? new Sentinel('source') : hostileValue(random);
    own.add(fault);
    return fault;
  };
  switch (random.below(12)) {
    case 0:
      return (function* junk() {
        for (let index = 0; index < count; index += 1) yield giving(index);
      })();
    case 1:
      return (async function* junk() {
        for (let index = 0; index < count; index += 1) yield giving(index);
      })();
    case 2:
      return (function* throws() {
        for (let index = 0; index < count; index += 1) yield giving(index);
        throw thrown();
      })();
    case 3:
      return (async function* throws() {
        for (let index = 0; index < count; index += 1) yield giving(index);
        throw thrown();
      })();
    case 4:
      return (async function* hangs() {
        for (let index = 0; index < count; index += 1) yield giving(index);
        await until(letGo);
      })();
    case 5:
      return { [Symbol.asyncIterator]: () => ({ next: () => until(letGo) }) };
    case 6:
      return { [Symbol.asyncIterator]: () => hostileValue(random) };
    case 7:
      return {
        [Symbol.iterator]: () => ({ next: () => hostileValue(random), return: hostileValue(random) }),
      };
    case 8:
      return { [Symbol.asyncIterator]: hostileValue(random), [Symbol.iterator]: hostileValue(random) };
    case 9:
      return {
        [Symbol.asyncIterator]: () => ({
          next: () => Promise.resolve({ done: random.chance(0.3), value: hostileValue(random) }),
          return: () => Promise.reject(new Sentinel('return')),
        }),
      };
    case 10:
      return new Set(Array.from({ length: count }, (_, index) => giving(index)));
    default:
      return {
        [Symbol.iterator]: () => ({
          next: () => ({
            get done(): boolean {
              throw thrown();
            },
          }),
          return: () => {
            throw new Sentinel('return');
          },
        }),
      };
  }
}

async function until(letGo: AbortSignal): Promise<{ done: true; value: undefined }> {
  if (!letGo.aborted)
    await new Promise((resolve) => letGo.addEventListener('abort', resolve, { once: true }));
  return { done: true, value: undefined };
}
