import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { FarmWorker } from '@embedfarm/farm/worker';
import { EmbeddingFarm } from '@embedfarm/sdk';
import { freePort } from '@embedfarm/service/free-port';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeRegistration } from '@embedfarm/testkit/fake-encoder';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
const PAGE = await readFile(join(ROOT, 'docs/webhooks.md'), 'utf8');
const [, RECEIVER = ''] = /^```ts\n([^]*?)^```$/m.exec(PAGE) ?? [];
const [, EVENT = ''] = /^```json\n([^]*?)^```$/m.exec(PAGE) ?? [];

describe('the page on webhooks', () => {
  // Inside the repository, where a package of it can be imported by name.
  const scratch = join(ROOT, '.embedfarm', `webhooks-${process.pid}`);
  const printed: string[] = [];
  let redis: TestRedis;
  let receiver: ChildProcess;
  let port: number;

  beforeAll(async () => {
    redis = await openTestRedis();
    port = await freePort(8_090);
    await mkdir(scratch, { recursive: true });
    await writeFile(join(scratch, 'receiver.mjs'), RECEIVER);
    receiver = spawn(process.execPath, [join(scratch, 'receiver.mjs')], {
      env: { ...process.env, EMBEDFARM_WEBHOOK_SECRET: SECRET, PORT: String(port) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (receiver.stdout) createInterface(receiver.stdout).on('line', (line) => printed.push(line));
    await eventually(() => printed.includes('listening'), { what: 'the receiver listens' });
  });
  afterAll(async () => {
    const exited = once(receiver, 'exit');
    receiver.kill();
    await exited;
    await redis.close();
    await rm(scratch, { recursive: true, force: true });
  });

  it('shows a receiver that works, takes an event once, and refuses what is not signed', async () => {
    const url = `http://127.0.0.1:${port}`;
    const worker = await FarmWorker.open(fakeRegistration(), new FakeEncoder(), {
      redis: redis.url,
      webhooks: { hosts: [url], secrets: [SECRET] },
    });
    const farm = await EmbeddingFarm.connect({ redis: redis.url });
    const request = await farm.submit(['a', 'bad text', 'c'], { label: 'reindex', webhook: url });
    const { webhook } = await eventually(async () => {
      const status = await request.status();
      return status.webhook?.state === 'delivered' ? status : undefined;
    });
    expect(webhook).toEqual({ state: 'delivered', attempts: 1, error: undefined });
    expect(printed).toEqual(['listening', 'request.completed reindex 2']);
    const post = async (headers: Record<string, string>) =>
      (await fetch(url, { method: 'POST', body: EVENT, headers })).status;
    const sentAt = new Date();
    const signed = {
      'webhook-id': 'twice',
      'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1_000)),
      'webhook-signature': new Webhook(SECRET).sign('twice', sentAt, EVENT),
    };
    expect([await post(signed), await post(signed), await post({})]).toEqual([204, 204, 400]);
    await eventually(() => printed.length > 2, { what: 'the second event' });
    expect(printed.slice(2)).toEqual(['request.completed reindex 99999']);
    await farm.close();
    await worker.close();
  });

  it('shows the event as it is', async () => {
    const { data, ...event } = JSON.parse(EVENT) as Record<string, object>;
    expect(Object.keys(event)).toEqual(['type', 'timestamp']);
    expect(Object.keys(data ?? {}).join()).toBe('id,state,label,model,texts,done,failed,createdAt,endedAt');
  });
});
