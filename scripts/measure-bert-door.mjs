// What the door for bert-as-service's clients costs over the SDK: node scripts/measure-bert-door.mjs
// [tiny|minilm|none] [rounds]; `none` is a worker that encodes nothing, and gives 384 numbers a text.
// Calls of 2,048 texts, one after the other, by the SDK, by ZeroMQ sockets and by BertClient 1.10.0 (where
// PYTHONPATH has it: see apps/gateway/src/testing/python-client.ts) in rounds that take turns. Door, worker, Redis and
// clients are processes of their own, as in a farm.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { benchModel } from '@embedfarm/bench/bench-model';
import { workloadTexts } from '@embedfarm/bench/workload';
import { FarmWorker } from '@embedfarm/farm/worker';
import { openBertDoor } from '@embedfarm/gateway/bert-client/open-bert-door';
import { EmbeddingFarm } from '@embedfarm/sdk';
import { startRedisServer } from '@embedfarm/service/start-redis-server';
import { TimedEncoder, timedRegistration } from '@embedfarm/testkit/timed-encoder';
import { Push, Subscriber } from 'zeromq';
import { ROOT } from './run-tool.mjs';

const TEXTS = 2_048;
const DIMENSIONS = 384;
const OWN = fileURLToPath(import.meta.url);
const PYTHON_PACKAGES = join(ROOT, '.embedfarm', 'bert-serving-client-1.10.0');
const PYTHON = `
import json, sys, time
from bert_serving.client import BertClient
with BertClient(port=int(sys.argv[1]), port_out=int(sys.argv[2]), check_length=False) as bc:
    for line in sys.stdin:
        texts = json.loads(line)
        started = time.perf_counter()
        assert bc.encode(texts).shape[0] == len(texts)
        print(time.perf_counter() - started, flush=True)
`;

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
  async zeromq({ portIn, portOut }) {
    const sender = new Push({ linger: 0 });
    const receiver = new Subscriber({ linger: 0 });
    const identity = crypto.randomUUID();
    sender.connect(`tcp://127.0.0.1:${portIn}`);
    receiver.subscribe(identity);
    receiver.connect(`tcp://127.0.0.1:${portOut}`);
    let id = 0;
    return (texts) =>
      timed(async () => {
        id += 1;
        await sender.send([identity, JSON.stringify(texts), String(id), String(texts.length)]);
        const [, header, values] = await receiver.receive();
        const { shape } = JSON.parse(String(header));
        if (shape[0] !== texts.length || values.length !== shape[0] * shape[1] * 4)
          throw new Error(String(header));
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
} else if (role === 'door') {
  const door = await openBertDoor({ redis: rounds, portIn: 0, portOut: 0 });
  process.send({ portIn: door.portIn, portOut: door.portOut });
} else if (Object.hasOwn(CLIENTS, role)) {
  const encode = await CLIENTS[role](JSON.parse(rounds));
  process.on('message', (texts) => void encode(texts).then((seconds) => process.send(seconds)));
  process.send('ready');
} else {
  await measure(role, Number(rounds));
}

async function measure(shape, count) {
  const dir = mkdtempSync(join(tmpdir(), 'embedfarm-door-'));
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
    const [, ports] = await start('door', redis.url);
    const target = JSON.stringify({ redis: redis.url, ...ports });
    const encoders = {};
    for (const name of Object.keys(CLIENTS)) {
      const [child] = await start(name, target);
      encoders[name] = async (texts) => {
        child.send(texts);
        const [seconds] = await once(child, 'message');
        return seconds;
      };
    }
    const python = spawn('python3', ['-c', PYTHON, String(ports.portIn), String(ports.portOut)], {
      env: { ...process.env, PYTHONPATH: PYTHON_PACKAGES },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(python);
    const lines = createInterface(python.stdout)[Symbol.asyncIterator]();
    encoders.python = async (texts) => {
      python.stdin.write(`${JSON.stringify(texts)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error('the Python client has ended');
      return Number(value);
    };
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
