import { redisKeys } from '@embedfarm/contract';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis, disconnectRedis } from '../redis/connect.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { TaggedLane } from './fair-lane.fixture.ts';
import { FairShareModel } from './fair-share-model.fixture.ts';
import type { ChunkShare } from './fair-share.ts';

const WEIGHTS = { light: 0.5, heavy: 2 };
const tenant = fc.constantFrom('light', 'heavy', 'a', 'b');

type Step =
  | { readonly kind: 'add'; readonly chunks: readonly ChunkShare[] }
  | { readonly kind: 'serve'; readonly count: number }
  | { readonly kind: 'refund'; readonly chunks: readonly ChunkShare[] };

function steps(cost: fc.Arbitrary<number>): fc.Arbitrary<Step[]> {
  const chunks = (maxLength: number) => fc.array(fc.record({ tenant, cost }), { minLength: 1, maxLength });
  return fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('add' as const), chunks: chunks(12) }) },
      {
        weight: 4,
        arbitrary: fc.record({ kind: fc.constant('serve' as const), count: fc.integer({ min: 1, max: 12 }) }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('refund' as const), chunks: chunks(2) }) },
    ),
    { minLength: 10, maxLength: 40 },
  );
}

describe('the shares of a lane', () => {
  let server: TestRedis;
  let redis: FarmRedis;
  let runs = 0;

  beforeAll(async () => {
    server = await openTestRedis();
    redis = connectRedis(server.url);
    await redis.hset(redisKeys().weights, WEIGHTS);
  });
  afterAll(async () => {
    disconnectRedis(redis);
    await server.close();
  });

  function openLane(limits: ConstructorParameters<typeof TaggedLane>[2]): TaggedLane {
    runs += 1;
    return new TaggedLane(redis, `model-${runs}`, limits);
  }

  it('are taken in Redis as the model takes them', async () => {
    const cost = fc.constantFrom(0.25, 0.5, 1, 3, 25);
    await fc.assert(
      fc.asyncProperty(steps(cost), async (all) => {
        const lane = openLane({ transitMs: 0 });
        const model = new FairShareModel(WEIGHTS);
        const [found, expected]: [unknown[], unknown[]] = [[], []];
        let added = 0;
        for (const step of all) {
          if (step.kind === 'add') {
            const ids = step.chunks.map(() => `job-${(added += 1)}`);
            found.push(await lane.add(ids, step.chunks));
            expected.push(model.add(ids, step.chunks));
          } else if (step.kind === 'refund') {
            await lane.share.refund(step.chunks);
            model.refund(step.chunks);
          } else {
            for (let count = 0; count < step.count; count += 1) {
              found.push(await lane.serve());
              expected.push(model.serve()?.id);
            }
          }
        }
        expect(found).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  it('serve in the same order while tags near their end and are lowered under waiting work', async () => {
    const maxPriority = 400;
    const some = fc.array(fc.record({ tenant: fc.constantFrom('light', 'a'), cost: fc.constant(1) }), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(some, { minLength: 400, maxLength: 400 }), async (adds) => {
        const lane = openLane({ maxPriority, rebaseJobs: 6 });
        const model = new FairShareModel(WEIGHTS);
        let added = 0;
        let rebases = 0;
        for (const chunks of [...adds.slice(0, 8), ...adds]) {
          const ids = chunks.map(() => `job-${(added += 1)}`);
          const before = await lane.isRebasing();
          expect(Math.max(...(await lane.add(ids, chunks)))).toBeLessThan(maxPriority);
          model.add(ids, chunks);
          if (!before && (await lane.isRebasing())) rebases += 1;
          // The first stay, so that the lane is never empty.
          const count = added > 20 ? chunks.length : 0;
          for (let served = 0; served < count; served += 1)
            expect(await lane.serve()).toBe(model.serve()?.id);
        }
        while (model.waiting.length > 0) expect(await lane.serve()).toBe(model.serve()?.id);
        expect(rebases).toBeGreaterThan(0);
      }),
      // A shorter run would not get to the end of the range.
      { numRuns: 5, endOnFailure: true },
    );
  }, 30_000);

  it('differ by no more than a chunk of each, in any time in which two tenants wait', () => {
    const cost = fc.constantFrom(0.25, 0.5, 1, 3, 25);
    const backlog = fc.array(cost, { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(
        fc.array(backlog, { minLength: 2, maxLength: 4 }),
        fc.nat({ max: 40 }),
        // Goyal, Vin, Cheng: theorem 1. One more, as tags are rounded down.
        (backlogs, head) => {
          expect(worstGap(backlogs, head)).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 200 },
    );
  });
});

/**
 * While tenants with these costs all wait: by how much the work of one, by its weight, was ahead of another's, beyond
 * the largest chunk of each. The first one comes earlier, by `head` chunks served.
 */
function worstGap(backlogs: readonly (readonly number[])[], head: number): number {
  const weights = [1, 0.5, 2, 1];
  const model = new FairShareModel({ t1: 0.5, t2: 2 });
  for (const [index, costs] of backlogs.entries()) {
    model.add(
      costs.map((_, chunk) => `${index}-${chunk}`),
      costs.map((cost) => ({ tenant: `t${index}`, cost })),
    );
    if (index === 0) for (let count = 0; count < head; count += 1) model.serve();
  }
  const tenants = backlogs.map((costs, index) => {
    const weight = weights[index] ?? 1;
    return { name: `t${index}`, weight, largest: Math.max(...costs) / weight, done: 0 };
  });
  const allWait = (): boolean =>
    tenants.every(({ name }) => model.waiting.some((chunk) => chunk.tenant === name));
  let worst = 0;
  while (allWait()) {
    const chunk = model.serve();
    for (const one of tenants) if (one.name === chunk?.tenant) one.done += chunk.cost / one.weight;
    for (const a of tenants) {
      for (const b of tenants) worst = Math.max(worst, a.done - b.done - a.largest - b.largest);
    }
  }
  return worst;
}
