// What a door of the farm costs over the SDK: what scripts/measure-*.mjs share. Redis, worker, door and clients are
// processes of their own, as in a farm; the clients take turns.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchModel } from '@embedfarm/bench/bench-model';
import { workloadTexts } from '@embedfarm/bench/workload';
import { FarmWorker } from '@embedfarm/farm/worker';
import { EmbeddingFarm } from '@embedfarm/sdk';
import { startRedisServer } from '@embedfarm/service/start-redis-server';
import { TimedEncoder, timedRegistration } from '@embedfarm/testkit/timed-encoder';
import { ROOT } from './run-tool.mjs';

const TEXTS = 2_048;
const DIMENSIONS = 384;

/** Gives zeros at once. */
class IdleEncoder extends TimedEncoder {
  async encode(texts) {
    const rows = texts.length;
    return {
      dtype: 'float32',
      dimensions: DIMENSIONS,
      values: new Float32Array(rows * DIMENSIONS),
      firstRows: Uint32Array.from({ length: rows + 1 }, (_, row) => row),
      tokens: new Uint32Array(rows).fill(DIMENSIONS),
      truncated: new Uint8Array(rows),
      failures: [],
      timing: { queueMs: 0, tokenizeMs: 0, batchWaitMs: 0, deviceMs: 0 },
    };
  }
}

/**
 * The script is run again for each process: `own` is its path. `openDoor(redis)` opens the door in a process of its own
 * and tells where it is, `findTarget(redis, door)` what its clients are told, `clients` makes of that what encodes texts
 * and tells the seconds, each in a process; `openOthers(door, keep)` may give more of them.
 */
export async function measureDoor({ own, openDoor, findTarget, clients, openOthers }) {
  const all = { sdk: sdkClient, ...clients };
  const [role = 'tiny', rest = '9'] = process.argv.slice(2);
  if (role === 'worker') {
    await FarmWorker.open(timedRegistration(DIMENSIONS), new IdleEncoder(), { redis: rest });
    process.send('ready');
  } else if (role === 'door') {
    process.send(await openDoor(rest));
  } else if (Object.hasOwn(all, role)) {
    const encode = await all[role](JSON.parse(rest));
    process.on('message', (texts) => void encode(texts).then((seconds) => process.send(seconds)));
    process.send('ready');
  } else {
    await measure(role, Number(rest), { own, findTarget, names: Object.keys(all), openOthers });
  }
}

async function sdkClient({ redis }) {
  const farm = await EmbeddingFarm.connect({ redis });
  return (texts) => timed(() => farm.encode(texts));
}

/** @returns seconds. */
export async function timed(work) {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1_000;
}

async function measure(shape, count, { own, findTarget, names, openOthers }) {
  const dir = mkdtempSync(join(tmpdir(), 'embedfarm-door-'));
  const redis = await startRedisServer({ dir });
  const children = [];
  const start = async (...args) => {
    const child = fork(own, args);
    children.push(child);
    const [first] = await once(child, 'message');
    return [child, first];
  };
  try {
    if (shape === 'none') await start('worker', redis.url);
    else children.push(await startWorker(shape, redis.url));
    const [, door] = await start('door', redis.url);
    const target = JSON.stringify(await findTarget(redis.url, door));
    const encoders = {};
    for (const name of names) {
      const [child] = await start(name, target);
      encoders[name] = async (texts) => {
        child.send(texts);
        const [seconds] = await once(child, 'message');
        return seconds;
      };
    }
    Object.assign(
      encoders,
      openOthers?.(door, (child) => children.push(child)),
    );
    report(shape, await interleave(encoders, count));
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await redis.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function startWorker(shape, redis) {
  const model = await benchModel(shape, join(ROOT, '.embedfarm', 'bench-models'));
  const args = [join(ROOT, 'apps/cli/bin/embedfarm.js'), 'worker', '--redis', redis, '--model', model];
  return spawn(process.execPath, args, { stdio: 'ignore' });
}

/** Texts per second of each call, by client. The first round warms up, and each begins with another client. */
async function interleave(encoders, count) {
  const names = Object.keys(encoders);
  const rates = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round <= count; round += 1) {
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(round + turn) % names.length];
      const texts = workloadTexts({ name: 'mix', texts: TEXTS, seed: round });
      const seconds = await encoders[name](texts);
      if (round > 0) rates[name].push(TEXTS / seconds);
    }
  }
  return rates;
}

function report(shape, rates) {
  const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  console.log(`${shape}: calls of ${TEXTS} texts, medians of ${rates.sdk.length} interleaved rounds`);
  for (const [name, values] of Object.entries(rates)) {
    const share = median(values.map((rate, round) => rate / rates.sdk[round]));
    console.log(
      `${name.padEnd(8)} ${median(values).toFixed(0).padStart(6)} texts/s   ${share.toFixed(3)} of the SDK`,
    );
  }
}
