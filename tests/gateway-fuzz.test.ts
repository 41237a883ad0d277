import { once } from 'node:events';
import { connect } from 'node:net';
import { MemoryEncoder, MemoryProducer } from '@embedfarm/farm/memory';
import { FarmWorker } from '@embedfarm/farm/worker';
import { openGateway, type RunningGateway } from '@embedfarm/gateway/gateway';
import { eventually } from '@embedfarm/testkit/eventually';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hostileString } from './fuzz/hostile-strings.ts';
import { SeededRandom } from './fuzz/seeded-random.ts';

/** The short form; `npm run test:fuzz` does not count these. Another seed: EMBEDFARM_FUZZ_SEED. */
const CASES = Number(process.env['EMBEDFARM_GATEWAY_FUZZ_CASES'] ?? 1_500);
const SEED = Number(process.env['EMBEDFARM_FUZZ_SEED'] ?? 1);
const AT_A_TIME = 8;
const MS_OF_A_CASE = 40;

let redis: TestRedis;
let worker: FarmWorker;
let gateway: RunningGateway;
beforeAll(async () => {
  redis = await openTestRedis();
  const { registration } = new MemoryProducer({ dimensions: 8 });
  worker = await FarmWorker.open(registration, new MemoryEncoder(registration), { redis: redis.url });
  gateway = await openGateway({ redis: redis.url, port: 0, maxBodyBytes: 65_536 });
  await eventually(async () => (await fetch(`${gateway.url}/readyz`)).status === 200);
});
afterAll(async () => {
  await gateway.close();
  await worker.close();
  await redis.close();
});

it(
  'whatever comes to a door is answered in its own shape, and the next caller is served',
  async () => {
    const faults: string[] = [];
    const tally = new Map<string, number>();
    for (let from = 0; from < CASES; from += AT_A_TIME) {
      const batch = Array.from({ length: Math.min(AT_A_TIME, CASES - from) }, async (_, at) => {
        const random = SeededRandom.ofCase(SEED, from + at);
        const { about, outcome, fault } = random.chance(0.1) ? await rawCase(random) : await httpCase(random);
        tally.set(outcome, (tally.get(outcome) ?? 0) + 1);
        if (fault !== undefined) faults.push(`case ${from + at}, ${about}: ${fault}`);
      });
      await Promise.all(batch);
    }
    process.stderr.write(`seed ${SEED}: ${JSON.stringify(Object.fromEntries(tally))}\n`);
    expect(faults).toEqual([]);
    // All of them got somewhere.
    expect(tally.get('200')).toBeGreaterThan(CASES / 100);
    expect(tally.get('400')).toBeGreaterThan(CASES / 10);
    const after = await ask('/v1/embeddings', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ model: 'memory', input: 'after' }),
    });
    expect(after.status).toBe(200);
    const metrics = await eventually(async () => {
      const { text } = await ask('/metrics', {});
      return text.includes('farm_gateway_open_requests 1\n') ? text : undefined;
    });
    expect(metrics).toContain('farm_gateway_held_bytes 0\n');
  },
  30_000 + CASES * MS_OF_A_CASE,
);

interface Verdict {
  readonly about: string;
  readonly outcome: string;
  readonly fault?: string | undefined;
}

/** What each door takes, from which one thing or another is made wrong. */
const BODIES: Readonly<Record<string, object>> = {
  '/v1/embeddings': {
    model: 'memory',
    input: ['a', 'b'],
    encoding_format: 'base64',
    dimensions: 4,
    user: 'u',
  },
  '/encode': {
    texts: ['a', ['b', 'c']],
    dtype: 'int8',
    truncate: 'start',
    lane: 'bulk',
    cache: true,
    timeoutMs: 5_000,
  },
  '/encode?bert': { id: 1, texts: ['a', 'b ||| c'], is_tokenized: false },
  '/requests': { texts: ['a'], label: 'l', resultTtlMs: 1_000 },
  '/embed': {
    inputs: ['a', 'b'],
    normalize: true,
    truncate: true,
    truncation_direction: 'Left',
    dimensions: 4,
  },
  '/embed_all': { inputs: 'a' },
  '/tokenize': { inputs: 'a', add_special_tokens: false },
  '/v1/batches': {
    input_file_id: 'file-none',
    endpoint: '/v1/embeddings',
    completion_window: '24h',
    metadata: { a: 'b' },
    output_expires_after: { anchor: 'created_at', seconds: 3_600 },
  },
};
const PATHS = [
  '/v1/models',
  '/v1/models/memory',
  '/v1/files',
  '/v1/batches?limit=2&after=x&order=asc',
  '/v1/batches/batch_none',
  '/info',
  '/health',
  '/status/server',
  '/requests/0-none-1',
  '/docs',
];
const METHODS = ['POST', 'POST', 'POST', 'POST', 'POST', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'];
const TYPES = [
  'application/json',
  'application/json; charset=latin1',
  'application/json; charset=x',
  'text/plain',
  '',
];

async function httpCase(random: SeededRandom): Promise<Verdict> {
  if (random.chance(0.1)) return await uploadCase(random);
  const [path, body] = random.pick(Object.entries(BODIES));
  const [at, init] = random.chance(0.85)
    ? [path, requestOf(random, body)]
    : [
        `${random.pick(PATHS)}${random.chance(0.3) ? `/${encodeURIComponent(hostileString(random).toWellFormed()).slice(0, 500)}` : ''}`,
        {},
      ];
  const { status, text, type } = await ask(at, init);
  const about = `${init.method ?? 'GET'} ${at} ${typeof init.body === 'string' ? init.body.slice(0, 200) : ''}`;
  return { about, outcome: String(status), fault: faultOf(at, status, text, type) };
}

/** A form with one thing or another that is wrong with it, and with lines that are. */
async function uploadCase(random: SeededRandom): Promise<Verdict> {
  const call = {
    custom_id: hostileString(random),
    method: 'POST',
    url: '/v1/embeddings',
    body: hostileJson(random, 0),
  };
  const lines = random.chance(0.5) ? `${JSON.stringify(call)}\n` : hostileString(random).toWellFormed();
  const name = random.chance(0.9) ? 'file' : hostileString(random).replaceAll(/[\r\n"]/g, '');
  let form =
    `--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n${random.pick(['batch', 'batch', 'batch', 'x', ''])}\r\n` +
    `--x\r\nContent-Disposition: form-data; name="${name}"; filename="${random.pick(['a', '', '../\u0000', '"'])}"\r\n\r\n${lines}\r\n--x--\r\n`;
  if (random.chance(0.3)) form = form.slice(0, random.below(form.length));
  if (random.chance(0.1)) form = form.replace('\r\n\r\n', random.pick(['\n\n', '\r\n', '']));
  const type = random.pick([
    'multipart/form-data; boundary=x',
    'multipart/form-data; boundary=',
    'multipart/form-data',
  ]);
  const headers = { 'Content-Type': random.chance(0.8) ? 'multipart/form-data; boundary=x' : type };
  const { status, text, type: answered } = await ask('/v1/files', { method: 'POST', body: form, headers });
  if (status === 200) {
    const { id } = JSON.parse(text) as { id: string };
    const body = { input_file_id: id, endpoint: '/v1/embeddings', completion_window: '24h' };
    await ask('/v1/batches', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  }
  const about = `POST /v1/files ${JSON.stringify(form.slice(0, 300))}`;
  return { about, outcome: String(status), fault: faultOf('/v1/files', status, text, answered) };
}

function requestOf(random: SeededRandom, body: object): RequestInit {
  const method = random.pick(METHODS);
  const fields: Record<string, unknown> = { ...body };
  for (let spoilt = random.below(3); spoilt > 0; spoilt -= 1) {
    const name = random.chance(0.9) ? random.pick(Object.keys(body)) : hostileString(random);
    if (random.chance(0.2)) delete fields[name];
    else fields[name] = hostileJson(random, 0);
  }
  let text = JSON.stringify(fields);
  if (random.chance(0.1)) text = text.slice(0, random.below(text.length));
  if (random.chance(0.03)) text = JSON.stringify({ ...fields, more: 'x'.repeat(70_000) });
  if (random.chance(0.02)) text = '['.repeat(30_000);
  const type = random.chance(0.9) ? 'application/json' : random.pick(TYPES);
  const encoding = random.chance(0.03) ? random.pick(['gzip', 'br', 'deflate', 'x']) : undefined;
  return {
    method,
    body: text,
    headers: {
      'Content-Type': type,
      ...(encoding === undefined ? {} : { 'Content-Encoding': encoding }),
      ...(random.chance(0.2)
        ? { Accept: random.pick(['application/octet-stream', 'text/html', '*/*', 'x']) }
        : {}),
    },
  };
}

function hostileJson(random: SeededRandom, depth: number): unknown {
  const luck = random.below(depth > 2 ? 5 : 8);
  if (luck < 2) return hostileString(random);
  if (luck === 2) return random.pick([0, -1, 0.5, 1e308, 2 ** 31, 2 ** 53, -0, 101]);
  if (luck === 3) return random.pick([null, true, false]);
  if (luck === 4) return random.pick([[], {}, [[]], [null], '']);
  if (luck === 5) return { [hostileString(random)]: hostileJson(random, depth + 1) };
  return Array.from({ length: random.below(5) }, () => hostileJson(random, depth + 1));
}

const GOOD = new Set([200, 202, 204]);
const BAD = new Set([400, 404, 405, 409, 410, 413, 415, 422, 429]);

function faultOf(path: string, status: number, text: string, type: string): string | undefined {
  if (GOOD.has(status)) return undefined;
  if (!BAD.has(status)) return `status ${status}: ${text.slice(0, 300)}`;
  if (!type.includes('application/json')) return `an answer that is ${type}`;
  const body = JSON.parse(text) as Record<string, unknown>;
  const error = body['error'] as Record<string, unknown> | string | undefined;
  const isOpenai = typeof error === 'object' && 'param' in error && typeof error['type'] === 'string';
  const isTei = typeof error === 'string' && typeof body['error_type'] === 'string';
  const isBert = typeof body['description'] === 'string' && body['status'] === status;
  const isNative = typeof error === 'object' && typeof error['message'] === 'string' && !isOpenai;
  const [, first = ''] = path.split('/');
  const isFit = path.startsWith('/v1/')
    ? isOpenai
    : path.startsWith('/status')
      ? isBert
      : path.startsWith('/encode')
        ? isBert || isNative
        : ['embed', 'embed_all', 'tokenize'].includes(first)
          ? isTei
          : isTei || isNative;
  return isFit ? undefined : `the shape of another door: ${text.slice(0, 300)}`;
}

/** What is no HTTP, or breaks off in the middle of it. */
async function rawCase(random: SeededRandom): Promise<Verdict> {
  const body = JSON.stringify(BODIES['/v1/embeddings']);
  const head = `POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`;
  const [about, bytes, end] = random.pick<readonly [string, Buffer | string, 'end' | 'destroy']>([
    ['bytes', random.bytes(200), 'end'],
    ['no length', `${head}\r\n${body}`, 'end'],
    ['a length that is none', `${head}Content-Length: -5\r\n\r\n${body}`, 'end'],
    ['two lengths', `${head}Content-Length: 5\r\nContent-Length: 6\r\n\r\n${body}`, 'end'],
    ['a chunk that is none', `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n${body}\r\n0\r\n\r\n`, 'end'],
    ['half a body', `${head}Content-Length: ${body.length}\r\n\r\n${body.slice(0, 20)}`, 'end'],
    ['half a body, cut off', `${head}Content-Length: ${body.length}\r\n\r\n${body.slice(0, 20)}`, 'destroy'],
    ['gone before the answer', `${head}Content-Length: ${body.length}\r\n\r\n${body}`, 'destroy'],
    ['half closed before the answer', `${head}Content-Length: ${body.length}\r\n\r\n${body}`, 'end'],
    ['a long header', `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 'end'],
    [
      'an odd id',
      `GET /v1/models HTTP/1.1\r\nHost: x\r\nX-Request-Id: \t"<b>\r\nConnection: close\r\n\r\n`,
      'end',
    ],
  ]);
  const { hostname, port } = new URL(gateway.url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: end === 'end' });
  socket.on('error', () => undefined);
  let answer = '';
  socket.on('data', (part: Buffer) => (answer += part.toString('latin1')));
  const closed = once(socket, 'close');
  await once(socket, 'connect');
  socket.write(bytes);
  if (end === 'destroy') socket.destroy();
  else socket.end();
  await closed;
  return {
    about,
    outcome: 'raw',
    fault: answer.startsWith('HTTP/1.1 5') ? `answered ${answer.slice(0, 200)}` : undefined,
  };
}

async function ask(path: string, init: RequestInit): Promise<{ status: number; text: string; type: string }> {
  const answer = await fetch(gateway.url + path, { ...init, signal: AbortSignal.timeout(20_000) });
  const type = answer.headers.get('Content-Type') ?? '';
  return { status: answer.status, text: await answer.text(), type };
}
