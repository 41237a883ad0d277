// A gateway under many connections and under bad ones: node scripts/load-gateway.mjs [connections] [seconds].
// First so many keep-alive connections, each asking for the vector of one text again and again; then as many that send
// half a head, a byte of a body at a time, or close their side after the call; with somebody well-behaved beside them. Tells
// what the gateway's process holds before, during and after.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MemoryEncoder, MemoryProducer } from '@embedfarm/farm/memory';
import { FarmWorker } from '@embedfarm/farm/worker';
import { openGateway } from '@embedfarm/gateway/gateway';
import { startRedisServer } from '@embedfarm/service/start-redis-server';

const OWN = fileURLToPath(import.meta.url);
const HEAD = 'POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
const [role = '1000', given = '20'] = process.argv.slice(2);
if (role === 'worker') {
  const { registration } = new MemoryProducer({ dimensions: 384 });
  await FarmWorker.open(registration, new MemoryEncoder(registration), { redis: given });
  process.send('ready');
} else if (role === 'gateway') {
  const { url } = await openGateway({ redis: given, port: 0 });
  process.send(url);
} else {
  await measure(Number(role), Number(given));
}

async function measure(connections, seconds) {
  const dir = mkdtempSync(join(tmpdir(), 'embedfarm-load-'));
  const redis = await startRedisServer({ dir });
  const children = [];
  try {
    const start = async (name) => {
      const child = fork(OWN, [name, redis.url]);
      children.push(child);
      const [first] = await once(child, 'message');
      return [child, first];
    };
    await start('worker');
    const [gateway, url] = await start('gateway');
    while ((await fetch(`${url}/readyz`)).status !== 200) await rest(200);
    const target = { host: new URL(url).hostname, port: Number(new URL(url).port) };
    await calls(target, 50, 3);
    await tell('before', gateway.pid, url);
    const load = calls(target, connections, seconds);
    await rest(seconds * 500);
    await tell('under load', gateway.pid, url);
    report(`${connections} connections, one text a call`, await load, seconds);
    await rest(2_000);
    await tell('after', gateway.pid, url);
    const bad = await openBad(target, connections);
    await rest(2_000);
    await tell(`${connections} bad connections`, gateway.pid, url);
    report('20 good connections beside them', await calls(target, 20, 10), 10);
    const closed = await closedWithin(bad, 150_000);
    console.log(`bad connections: ${JSON.stringify(closed)}`);
    await tell('after them', gateway.pid, url);
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await redis.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Latencies in ms of calls that follow each other on each connection, and what else came. */
async function calls(target, connections, seconds) {
  const until = performance.now() + seconds * 1_000;
  const result = { ms: [], statuses: {} };
  await Promise.all(Array.from({ length: connections }, (_, at) => oneCaller(target, at, until, result)));
  return result;
}

async function oneCaller(target, at, until, result) {
  const socket = connect(target);
  socket.on('error', () => undefined);
  await once(socket, 'connect').catch(() => undefined);
  let received = '';
  let onAnswer = () => undefined;
  socket.setEncoding('latin1');
  socket.on('data', (part) => {
    received += part;
    const [, length] = /\r\ncontent-length: (\d+)\r\n/i.exec(received) ?? [];
    const bodyAt = received.indexOf('\r\n\r\n') + 4;
    if (length === undefined || received.length < bodyAt + Number(length)) return;
    const status = received.slice(9, 12);
    received = '';
    onAnswer(status);
  });
  socket.once('close', () => onAnswer('closed'));
  for (let call = 0; performance.now() < until && !socket.destroyed; call += 1) {
    const body = JSON.stringify({ model: 'memory', input: `text ${at} ${call}`, encoding_format: 'base64' });
    const startedAt = performance.now();
    const answered = new Promise((resolve) => (onAnswer = resolve));
    socket.write(`${HEAD}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    const status = await answered;
    result.statuses[status] = (result.statuses[status] ?? 0) + 1;
    result.ms.push(performance.now() - startedAt);
    if (status === '429') await rest(1_000);
  }
  socket.destroy();
}

/** A third each of slow heads, slow bodies, and sockets that are half closed after their call. */
async function openBad(target, count) {
  const body = JSON.stringify({ model: 'memory', input: 'x' });
  return await Promise.all(
    Array.from({ length: count }, async (_, at) => {
      const kind = ['slow head', 'slow body', 'half closed'][at % 3];
      const socket = connect({ ...target, allowHalfOpen: true });
      socket.on('error', () => undefined);
      socket.resume();
      const bad = { kind, socket, isClosed: false };
      socket.once('close', () => (bad.isClosed = true));
      await once(socket, 'connect');
      if (kind === 'half closed') {
        socket.end(`${HEAD}Content-Length: ${body.length}\r\n\r\n${body}`);
        return bad;
      }
      socket.write(kind === 'slow head' ? HEAD : `${HEAD}Content-Length: 10000000\r\n\r\n`);
      const drip = setInterval(() => socket.write(kind === 'slow head' ? 'X-A: b\r\n' : ' '), 1_000);
      socket.once('close', () => clearInterval(drip));
      socket.once('end', () => socket.end());
      return bad;
    }),
  );
}

async function closedWithin(bad, limitMs) {
  const startedAt = performance.now();
  while (bad.some(({ isClosed }) => !isClosed) && performance.now() - startedAt < limitMs) await rest(500);
  const tally = {};
  for (const { kind, isClosed, socket } of bad) {
    const name = `${kind} ${isClosed ? 'closed' : 'open'}`;
    tally[name] = (tally[name] ?? 0) + 1;
    socket.destroy();
  }
  await rest(1_000);
  return { ...tally, seconds: Math.round((performance.now() - startedAt) / 1_000) };
}

async function tell(when, pid, url) {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  const files = readdirSync(`/proc/${pid}/fd`).length;
  const text = await (await fetch(`${url}/metrics`)).text();
  const figure = (name) => new RegExp(`^farm_gateway_${name} (\\d+)`, 'm').exec(text)?.[1];
  const heap = /^nodejs_heap_size_used_bytes (\d+)/m.exec(text)?.[1] ?? 0;
  console.log(
    `${when.padEnd(24)} rss ${Math.round(kilobytes / 1_024)} MiB, heap ${Math.round(heap / 1_048_576)} MiB, ` +
      `${files} descriptors, ${figure('connections')} connections, ${figure('open_requests')} open, ${figure('held_bytes')} bytes held`,
  );
}

function report(name, { ms, statuses }, seconds) {
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.floor(sorted.length * share)]?.toFixed(1);
  console.log(
    `${name}: ${(ms.length / seconds).toFixed(0)} calls/s, ms p50 ${at(0.5)} p95 ${at(0.95)} p99 ${at(0.99)} max ${sorted.at(-1)?.toFixed(0)}, ${JSON.stringify(statuses)}`,
  );
}
