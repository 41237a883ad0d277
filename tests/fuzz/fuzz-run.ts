import { LANES, queueName, redisKeys } from '@embedfarm/contract';
import { EmbeddingFarm } from '@embedfarm/sdk';
import { eventually } from '@embedfarm/testkit/eventually';
import { openTestRedis } from '@embedfarm/testkit/redis';
import { keysWithoutTtl } from '@embedfarm/testkit/redis-leaks';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { connectionRound } from './connection-round.ts';
import { FuzzWorker, MODEL, VICTIM } from './fuzz-worker.ts';
import { jobRound, type RoundPorts } from './job-round.ts';
import { show } from './judge.ts';
import { queueJunk } from './queue-junk.ts';
import { replyRound } from './reply-round.ts';
import { resultRound } from './result-round.ts';
import { runCases } from './run-cases.ts';
import { sdkCase } from './sdk-cases.ts';
import { SeededRandom } from './seeded-random.ts';
import { sharedRound } from './shared-round.ts';
import { Strangers } from './strangers.ts';
import { Tally } from './tally.ts';

export interface FuzzTerms {
  readonly seed: number;
  /** About so many, the strangers' not counted. */
  readonly cases: number;
}

/** What a run has of each. The rest is what all clients share, which is spoilt while there is no stranger. */
const SHARES = { calls: 0.82, jobs: 0.05, replies: 0.04, results: 0.03, junk: 0.02, connections: 0.01 };
/** Most cases of one round: they run at the same time. */
const ROUND = { jobs: 120, replies: 100, results: 100, junk: 50, connections: 20 };
/** Shared rounds: one in so many cases. */
const CASES_OF_A_SHARED_ROUND = 500;
const CALLS_AT_A_TIME = 16;
const STRANGERS = 2;

const keys = redisKeys();
const queueNames = [MODEL, VICTIM].flatMap((model) => LANES.map((lane) => queueName(model, lane)));

/** A farm of its own, with all that is done to it; the tally has what became of it, and its faults. */
export async function runFuzz({ seed, cases }: FuzzTerms): Promise<Tally> {
  const tally = new Tally();
  const onStray = (fault: unknown): void => tally.fault(`a rejection that nobody handles: ${show(fault)}`);
  process.on('unhandledRejection', onStray);
  process.on('uncaughtExceptionMonitor', onStray);
  const server = await openTestRedis();
  const redis = new Redis(server.url, { maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  const worker = await FuzzWorker.open(server.url);
  const farm = await EmbeddingFarm.connect({ redis: server.url });
  try {
    const ports: RoundPorts = { url: server.url, farm, redis, tally };
    await spoilSome(ports, { seed, cases });
    for (let round = 0; round < Math.max(2, cases / CASES_OF_A_SHARED_ROUND); round += 1) {
      await sharedRound(ports, `h${round}`, SeededRandom.ofCase(seed, 9_000_000 + round));
    }
    await checkEnd(ports, worker);
  } finally {
    await farm.close();
    await worker.kill();
    redis.disconnect();
    await server.close();
    process.off('unhandledRejection', onStray);
    process.off('uncaughtExceptionMonitor', onStray);
  }
  return tally;
}

/** All that harms single clients, at the same time, with strangers in between. */
async function spoilSome(ports: RoundPorts, { seed, cases }: FuzzTerms): Promise<void> {
  const { url, farm, tally } = ports;
  const strangers = await Strangers.open(url, STRANGERS, seed, tally);
  const user = { farm, redis: url, requestIds: [] };
  const inRounds = async (
    kind: keyof typeof ROUND,
    number: number,
    run: (name: string, count: number, random: SeededRandom) => Promise<void>,
  ): Promise<void> => {
    let left = Math.ceil(cases * SHARES[kind]);
    for (let round = 0; left > 0; round += 1) {
      const count = Math.min(left, ROUND[kind]);
      left -= count;
      await run(`${kind}${round}`, count, SeededRandom.ofCase(seed, 1_000_000 * number + round));
    }
  };
  await Promise.all([
    runCases(
      Math.ceil(cases * SHARES.calls),
      CALLS_AT_A_TIME,
      (number) => sdkCase(SeededRandom.ofCase(seed, number), user, 'call'),
      tally,
    ),
    inRounds('jobs', 1, (...round) => jobRound(ports, ...round)),
    inRounds('replies', 2, (...round) => replyRound(ports, ...round)),
    inRounds('results', 3, (...round) => resultRound(ports, ...round)),
    inRounds('junk', 4, (...round) => queueJunk(ports, ...round)),
    inRounds('connections', 5, (_, count, random) => connectionRound(ports, count, random)),
  ]);
  await strangers.close();
}

/** Nothing waits, nobody has died, and nothing is left that would stay. */
async function checkEnd({ url, farm, redis, tally }: RoundPorts, worker: FuzzWorker): Promise<void> {
  const held = async (): Promise<string[]> => {
    const lists = queueNames.flatMap((queue) =>
      ['wait', 'active', 'paused'].map((part) => `${keys.prefix}:${queue}:${part}`),
    );
    const lengths = await Promise.all(lists.map((list) => redis.llen(list)));
    return lists.filter((_, at) => lengths[at] !== 0);
  };
  await eventually(async () => (await held()).length === 0, { timeoutMs: 20_000 }).catch(async () =>
    tally.fault(`still there: ${show(await held())}`),
  );
  await farm.close();
  if (worker.death !== undefined) tally.fault(`the worker died: ${worker.death}`);
  tally.note(`what the worker told of: ${await worker.close()}`);
  for (const name of queueNames) {
    // BullMQ keeps failed jobs by age and number.
    const queue = new Queue(name, { connection: redis, prefix: keys.prefix });
    await queue.obliterate({ force: true });
    await queue.close();
  }
  // A connection with another prefix is a farm of its own; what has an empty admission has its sums.
  const left = await keysWithoutTtl(url, [/:admission$/]);
  if (left.length > 0) tally.fault(`left without a time to live: ${show(left)}`);
}
