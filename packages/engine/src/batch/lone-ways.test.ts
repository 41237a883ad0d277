import { describe, expect, it } from 'vitest';
import { LoneWays, type LoneWay } from './lone-ways.ts';

/** Runs so many lone batches whose costs are given, and counts the ways they took. */
function run(
  ways: LoneWays,
  tokens: number,
  count: number,
  ms: Record<LoneWay, number>,
): Record<LoneWay, number> {
  const taken = { core: 0, together: 0 };
  for (let at = 0; at < count; at += 1) {
    const way = ways.choose(tokens);
    taken[way] += 1;
    ways.note(tokens, way, ms[way]);
  }
  return taken;
}

describe('LoneWays', () => {
  it('tries both ways, then takes the faster one but for a look at the other now and then', () => {
    expect(run(new LoneWays(), 40, 640, { core: 10, together: 6 })).toEqual({ core: 13, together: 627 });
    expect(run(new LoneWays(), 40, 640, { core: 6, together: 10 })).toEqual({ core: 627, together: 13 });
  });

  it('leaves the other cores alone where they gain next to nothing', () => {
    expect(run(new LoneWays(), 40, 100, { core: 10, together: 9.5 }).together).toBeLessThan(6);
  });

  it('learns for each length apart', () => {
    const ways = new LoneWays();
    run(ways, 8, 50, { core: 1, together: 3 });
    run(ways, 100, 50, { core: 10, together: 6 });
    expect([ways.choose(8), ways.choose(7), ways.choose(128), ways.choose(65)]).toEqual([
      'core',
      'core',
      'together',
      'together',
    ]);
  });

  it('comes back when the machine has changed', () => {
    const ways = new LoneWays();
    run(ways, 40, 100, { core: 10, together: 20 });
    run(ways, 40, 3_000, { core: 10, together: 6 });
    expect(run(ways, 40, 50, { core: 10, together: 6 }).together).toBeGreaterThanOrEqual(49);
  });

  it('is not misled by a first run that allocates', () => {
    const ways = new LoneWays();
    ways.note(40, 'together', 500);
    expect(run(ways, 40, 20, { core: 10, together: 6 }).together).toBeGreaterThanOrEqual(17);
  });
});
