import { LANES, redisKeys } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { EmbeddingFarm } from '@embedfarm/sdk';
import type { Redis } from 'ioredis';
import { MODEL } from './fuzz-worker.ts';
import type { RoundPorts } from './job-round.ts';
import { judge, show, type FuzzCase } from './judge.ts';
import { spoilFields, spoilKey } from './junk.ts';
import type { SeededRandom } from './seeded-random.ts';
import { goodCall } from './strangers.ts';
import { Tally } from './tally.ts';

const keys = redisKeys();
/** Calls under one damage. */
const CALLS = 12;
/** While a key is broken nobody has to succeed, only to settle. */
const TIMEOUT_MS = 2_500;
/** A worker that took a hand-made registration for another's comes back after its own 15 s. */
const HEAL_MS = 30_000;

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  [keys.admission]: ['texts', 'bytes', 'pass', 'nextTexts', 'nextBytes', 'c:x', 'r:0-abc-1'],
  [keys.limits]: ['maxTexts', 'maxBytes', 'memoryShare'],
  [keys.weights]: ['tenant', ''],
  [keys.model(MODEL)]: ['fingerprint', 'registration'],
  [keys.fairShare(MODEL)]: ['served', 'takenAtMs', 'rebaseBy', 'rebasedUpTo'],
};
const OTHERS = [
  keys.models,
  keys.modelWorkers(MODEL),
  keys.workers,
  keys.clients,
  keys.requests,
  keys.openRequests,
  keys.requestTender,
  keys.admissionSync,
  keys.webhooksDue,
  keys.webhookHosts,
  keys.memoryProbe,
  keys.fairShareTenants(MODEL),
];
const QUEUE_PARTS = [
  'wait',
  'active',
  'prioritized',
  'delayed',
  'marker',
  'meta',
  'events',
  'stalled',
  'failed',
  'pc',
  'id',
];

/**
 * What all clients share is written over. Each call settles, with its vectors or typed; once the junk is taken away,
 * the farm works.
 */
export async function sharedRound(
  { url, redis, tally }: RoundPorts,
  name: string,
  random: SeededRandom,
): Promise<void> {
  const farm = await EmbeddingFarm.connect({ redis: url });
  const spoilt: string[] = [];
  const damages: string[] = [];
  for (let left = 1 + random.below(2); left > 0; left -= 1) {
    const key = await pickKey(redis, random);
    spoilt.push(key);
    const fields = FIELDS[key];
    const damage =
      fields && random.chance(0.6) ? spoilFields(redis, key, fields, random) : spoilKey(redis, key, random);
    damages.push(await damage);
  }
  const about = (): string => damages.join('; ');
  await Promise.all(
    Array.from({ length: CALLS }, (_, index) =>
      judge(anyCall({ farm, url }, `${name}-${index}`, about, random), tally),
    ),
  );
  await farm.close();
  await redis.unlink(...spoilt, ...(await orphans(redis, spoilt)));
  await works(url, name, about, random, tally);
}

/** Jobs of lanes that were written over: BullMQ keeps a job until its lane hands it out, and these lanes never do. */
async function orphans(redis: Redis, spoilt: readonly string[]): Promise<string[]> {
  const lanes = LANES.map((lane) => keys.jobPrefix(MODEL, lane)).filter((prefix) =>
    spoilt.some((key) => key.startsWith(prefix)),
  );
  const found = await Promise.all(lanes.map((prefix) => redis.keys(`${prefix}*`)));
  return found.flat().filter((key) => !QUEUE_PARTS.some((part) => key.endsWith(`:${part}`)));
}

/** Looks until a good call of a new client comes through. */
async function works(
  url: string,
  name: string,
  about: () => string,
  random: SeededRandom,
  tally: Tally,
): Promise<void> {
  let last: readonly string[] = [];
  const heal = (): Promise<boolean> =>
    eventually(
      async () => {
        const tries = new Tally();
        const farm = await EmbeddingFarm.connect({ redis: url });
        await judge(goodCall(farm, `${name}-after`, random, MODEL, TIMEOUT_MS), tries);
        await farm.close();
        last = tries.faults;
        return last.length === 0;
      },
      { timeoutMs: HEAL_MS },
    );
  await judge(
    {
      kind: 'shared, after',
      about: () => `${about()} | ${last.map(show).join()}`,
      run: heal,
      limitMs: 2 * HEAL_MS,
    },
    tally,
  );
}

async function pickKey(redis: Redis, random: SeededRandom): Promise<string> {
  const luck = random.next();
  if (luck < 0.35) return random.pick(Object.keys(FIELDS));
  if (luck < 0.65) return random.pick(OTHERS);
  if (luck < 0.75)
    return random.pick(await redis.keys(`${keys.prefix}:worker:*`).then((found) => [...found, keys.workers]));
  if (luck < 0.85) {
    const [now] = await redis.time();
    return keys.statsSecond(Number(now) + random.below(3));
  }
  return keys.jobPrefix(MODEL, random.pick(LANES)) + random.pick(QUEUE_PARTS);
}

function anyCall(
  { farm, url }: { farm: EmbeddingFarm; url: string },
  name: string,
  about: () => string,
  random: SeededRandom,
): FuzzCase {
  const way = random.pick([
    'good',
    'good',
    'good',
    'good',
    'status',
    'connect',
    'requests',
    'settings',
  ] as const);
  const good = goodCall(farm, name, random, MODEL, TIMEOUT_MS);
  const runs: Readonly<Record<typeof way, () => Promise<unknown>>> = {
    good: good.run,
    status: () => farm.status(),
    connect: async () => await (await EmbeddingFarm.connect({ redis: url, timeoutMs: TIMEOUT_MS })).close(),
    requests: () => farm.requests({ limit: 50 }),
    settings: () => Promise.all([farm.limits(), farm.weights(), farm.setWeight('tenant', 2)]),
  };
  return {
    kind: `shared ${way === 'good' ? good.kind.split(' ')[1] : way}`,
    about: () => `${name}: ${about()}`,
    run: runs[way],
    limitMs: HEAL_MS,
  };
}
