import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { ChildProcess } from 'node:child_process';
import { FarmWorker } from '@embedfarm/farm/worker';
import type { EncodeText } from '@embedfarm/sdk';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeRegistration, fakeTokens, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CommandLine, end, gather } from '../apps/cli/src/testing/command-line.ts';
import { BertTestClient, type TestResult } from '../apps/gateway/src/testing/bert-test-client.ts';
import { RECORDED_CLIENT, RECORDED_REQUESTS } from '../apps/gateway/src/testing/recorded-requests.ts';

let line: CommandLine;
let worker: FarmWorker;
const encoder = new FakeEncoder();
const clients: BertTestClient[] = [];
beforeAll(async () => {
  line = await CommandLine.open();
  worker = await FarmWorker.open(fakeRegistration(), encoder, { redis: line.redis.url });
});
afterEach(async () => {
  encoder.release();
  for (const client of clients.splice(0)) client.close();
  await line.rest();
});
afterAll(async () => {
  await worker.close();
  await line.close();
});

interface Started {
  readonly process: ChildProcess;
  readonly url: string;
  readonly portIn: number;
  readonly portOut: number;
}

async function start(...args: string[]): Promise<Started> {
  const ports = ['--bert-port-in', '0', '--bert-port-out', '0'];
  const gateway = line.start(['gateway', '--port', '0', '--bert-client', ...ports, ...args]);
  const stdout = gather(gateway.stdout);
  const [, portIn, portOut] = await eventually(() =>
    /^BertClient: port (\d+), port_out (\d+)$/m.exec(stdout()),
  );
  const [, url = ''] = /^Gateway: (\S+)$/m.exec(stdout()) ?? [];
  return { process: gateway, url, portIn: Number(portIn), portOut: Number(portOut) };
}

function connect(gateway: Started, identity?: string): BertTestClient {
  const client = new BertTestClient(gateway, identity === undefined ? {} : { identity });
  clients.push(client);
  return client;
}

async function converse(client: BertTestClient): Promise<Map<number, TestResult>> {
  for (const frames of RECORDED_REQUESTS) {
    await client.sendFrames(frames.map((frame) => Buffer.from(frame, 'latin1')));
  }
  const results = new Map<number, TestResult>();
  while (results.size < RECORDED_REQUESTS.length) {
    const result = await client.receive();
    results.set(result.requestId, result);
  }
  return results;
}

describe('embedfarm gateway --bert-client', () => {
  it('answers what BertClient 1.10.0 sent when it was recorded', async () => {
    const gateway = await start('--bert-show-tokens');
    const results = await converse(connect(gateway, RECORDED_CLIENT));
    const texts: EncodeText[] = [
      ['First', 'do', 'it'],
      [['a'], ['b']],
    ];
    expect(results.get(5)?.header).toEqual({
      dtype: 'float32',
      shape: [2, 4],
      tokens: texts.map(fakeTokens),
    });
    const vectors = texts.flatMap(fakeVector);
    expect(Array.from(results.get(5)?.values ?? [])).toEqual(Array.from(Float32Array.from(vectors)));
    expect(JSON.parse(String(results.get(1)?.frames[1]))).toMatchObject({
      server_version: '1.10.0',
      port: gateway.portIn,
      port_out: gateway.portOut,
    });
  });

  it('tells the same of itself by HTTP as by ZeroMQ, and counts on /metrics', async () => {
    const gateway = await start();
    const client = connect(gateway);
    await client.encode(['a', 'b']);
    const encoded = await fetch(`${gateway.url}/encode`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ id: 1, texts: ['c'], is_tokenized: false }),
    });
    expect(encoded.status).toBe(200);
    const asked = await client.ask('SHOW_STATUS');
    const told = (await (await fetch(`${gateway.url}/status/server`)).json()) as Record<string, unknown>;
    for (const field of ['model', 'port', 'port_out', 'zmq_version', 'max_seq_len', 'server_start_time']) {
      expect(told[field], field).toEqual(asked[field]);
    }
    const statistic = { num_data_request: 2, num_total_seq: 3, num_sys_request: 1, num_total_client: 2 };
    for (const one of [asked, told]) {
      expect(one).toMatchObject({ statistic, door: { requests: 1, texts: 2, questions: 1 } });
    }
    // Times go on, and HTTP has its own identity and status.
    expect(new Set(Object.keys(told))).toEqual(new Set([...Object.keys(asked), 'status']));
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(metrics).toContain('farm_gateway_bert_requests_total 1\n');
    expect(metrics).toContain('farm_gateway_bert_texts_total 2\n');
    expect(metrics).toMatch(/farm_gateway_bert_connections [1-9]/);
  });

  it('finishes what BertClient waits for when it is told to stop', async () => {
    const gateway = await start();
    const client = connect(gateway);
    await client.encode(['before']);
    encoder.hold();
    const id = await client.send(['under way']);
    await eventually(() => encoder.heldChunks === 1, { what: 'a chunk that is held' });
    const exit = once(gateway.process, 'exit');
    gateway.process.kill('SIGTERM');
    await eventually(async () => (await fetch(`${gateway.url}/readyz`)).status === 503);
    encoder.release();
    const { header } = await client.receive(id);
    expect(header).toMatchObject({ shape: [1, 4] });
    expect((await exit)[0]).toBe(0);
  });

  it('ends by a TERMINATION where that is allowed, and else does not', async () => {
    const [deaf, obedient] = [await start(), await start('--bert-allow-termination')];
    const exit = once(obedient.process, 'exit');
    for (const gateway of [deaf, obedient]) await connect(gateway).send(Buffer.from('TERMINATION'), 0);
    expect((await exit)[0]).toBe(0);
    await eventually(async () =>
      (await (await fetch(`${deaf.url}/metrics`)).text()).includes('bert_refused_terminations_total 1\n'),
    );
    expect(await end(deaf.process)).toBe(0);
  });

  it('does not open on a port that is taken', async () => {
    const { portIn } = await start();
    const ports = ['--bert-port-in', String(portIn), '--bert-port-out', '0'];
    const { exitCode, stderr } = await line.run(['gateway', '--port', '0', '--bert-client', ...ports]);
    expect(stderr).toContain(String(portIn));
    expect(exitCode).toBe(1);
  });

  it.skipIf(process.platform !== 'linux')('loads ZeroMQ there and nowhere else', async () => {
    const loads = async ({ pid }: ChildProcess): Promise<boolean> =>
      (await readFile(`/proc/${pid}/maps`, 'utf8')).includes('/zeromq/');
    const plain = line.start(['gateway', '--port', '0']);
    const stdout = gather(plain.stdout);
    await eventually(() => stdout().includes('Gateway: '));
    expect(await loads(plain)).toBe(false);
    expect(await loads((await start()).process)).toBe(true);
  });
});
