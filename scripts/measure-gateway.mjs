// What OpenAI's door costs over the SDK: node scripts/measure-gateway.mjs [tiny|minilm|none] [rounds]; `none` is a worker
// that encodes nothing, and gives 384 numbers a text. Calls of 2,048 texts, one after the other, by the SDK, by OpenAI's
// own client (base64, which it asks for and turns into numbers) and by fetch, which leaves base64 as it is, in rounds that
// take turns. Gateway, worker, Redis and clients are processes of their own, as in a farm.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchModel } from '@embedfarm/bench/bench-model';
import { workloadTexts } from '@embedfarm/bench/workload';
import { FarmWorker } from '@embedfarm/farm/worker';
import { openGateway } from '@embedfarm/gateway/gateway';
import { EmbeddingFarm } from '@embedfarm/sdk';
import { startRedisServer } from '@embedfarm/service/start-redis-server';
import { TimedEncoder, timedRegistration } from '@embedfarm/testkit/timed-encoder';
import OpenAI from 'openai';
import { ROOT } from './run-tool.mjs';

const TEXTS = 2_048;
const DIMENSIONS = 384;
const OWN = fileURLToPath(import.meta.url);

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

/** Each encodes the texts, and tells the seconds that it took. */
const CLIENTS = {
  async sdk({ redis }) {
    const farm = await EmbeddingFarm.connect({ redis });
    return (texts) => timed(() => farm.encode(texts));
  },
  async openai({ url, model }) {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
    return (input) =>
      timed(async () => {
        const { data } = await client.embeddings.create({ model, input });
        if (data.length !== input.length || typeof data[0].embedding[0] !== 'number')
          throw new Error('short');
      });
  },
  async fetch({ url, model }) {
    return (input) =>
      timed(async () => {
        const answer = await fetch(`${url}/v1/embeddings`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ model, input, encoding_format: 'base64' }),
        });
        if (!answer.ok) throw new Error(await answer.text());
        const { data } = await answer.json();
        if (data.length !== input.length) throw new Error('short');
      });
  },
};

async function timed(work) {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1_000;
}

const [role = 'tiny', rounds = '9'] = process.argv.slice(2);
if (role === 'worker') {
  await FarmWorker.open(timedRegistration(DIMENSIONS), new IdleEncoder(), { redis: rounds });
  process.send('ready');
} else if (role === 'gateway') {
  const { url } = await openGateway({ redis: rounds, port: 0 });
  process.send(url);
} else if (Object.hasOwn(CLIENTS, role)) {
  const encode = await CLIENTS[role](JSON.parse(rounds));
  process.on('message', (texts) => void encode(texts).then((seconds) => process.send(seconds)));
  process.send('ready');
} else {
  await measure(role, Number(rounds));
}

async function measure(shape, count) {
  const dir = mkdtempSync(join(tmpdir(), 'embedfarm-gateway-'));
  const redis = await startRedisServer({ dir });
  const children = [];
  const start = async (...args) => {
    const child = fork(OWN, args);
    children.push(child);
    const [first] = await once(child, 'message');
    return [child, first];
  };
  try {
    if (shape === 'none') await start('worker', redis.url);
    else children.push(await startWorker(shape, redis.url));
    const [, url] = await start('gateway', redis.url);
    const model = await servedModel(url);
    const target = JSON.stringify({ redis: redis.url, url, model });
    const encoders = {};
    for (const name of Object.keys(CLIENTS)) {
      const [child] = await start(name, target);
      encoders[name] = async (texts) => {
        child.send(texts);
        const [seconds] = await once(child, 'message');
        return seconds;
      };
    }
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

/** The name of the model, when a worker serves it. */
async function servedModel(url) {
  for (;;) {
    if ((await fetch(`${url}/readyz`)).status === 200) break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const { data } = await (await fetch(`${url}/v1/models`)).json();
  return data[0].id;
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
