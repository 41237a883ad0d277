import { redisKeys } from '@embedfarm/contract';
import { eventually } from '@embedfarm/testkit/eventually';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDashboard } from '../dashboard.ts';
import type { RunningDashboard } from '../serve-board.ts';

checkOpenHandles();

const MODEL = 'org/tiny';
const QUEUE = encodeURIComponent(`${MODEL}-bulk`);
const JOB_ID = '0-a-1.0';
const keys = redisKeys();
const jobs = keys.jobPrefix(MODEL, 'bulk');
const REGISTRATION = {
  fingerprint: 'f',
  dimensions: 4,
  maxSequenceLength: 32,
  pooling: 'mean',
  normalize: true,
  meaningful: true,
};

describe('the page of the queues', () => {
  let redis: TestRedis;
  let client: Redis;
  let dashboard: RunningDashboard;

  beforeAll(async () => {
    redis = await openTestRedis();
    client = new Redis(redis.url);
    client.on('error', () => undefined);
    await register(MODEL);
    const data = {
      texts: ['a secret text '.repeat(20), '<img src=x onerror=alert(1)>', 'three', 'four', 'five'],
      options: { prompt: 'a long prompt '.repeat(20) },
    };
    await client.hset(`${jobs}${JOB_ID}`, {
      name: '5 texts',
      data: JSON.stringify(data),
      opts: JSON.stringify({ attempts: 3, share: { tenant: 't'.repeat(128), cost: 1 } }),
      timestamp: Date.now(),
      priority: 5,
      failedReason: `said: ${'a secret text '.repeat(99)}`,
      stacktrace: JSON.stringify(['Error: a secret text '.repeat(99)]),
    });
    await client.zadd(`${jobs}failed`, Date.now(), JOB_ID);
    dashboard = await openDashboard({ redis: redis.url, port: 0 });
    await ready();
  });
  afterAll(async () => {
    await dashboard.close();
    client.disconnect();
    await redis.close();
  });

  async function register(model: string): Promise<void> {
    await client.hset(keys.model(model), 'registration', JSON.stringify({ ...REGISTRATION, model }));
    await client.zadd(keys.models, Date.now(), model);
  }

  const get = (path: string, init: RequestInit = {}) =>
    fetch(`${dashboard.url}/queues${path}`, { ...init, signal: AbortSignal.timeout(10_000) });

  async function queues(query = ''): Promise<{ name: string; readOnlyMode: boolean; jobs: object[] }[]> {
    const response = await get(`/api/queues${query}`);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/u);
    return ((await response.json()) as { queues: { name: string; readOnlyMode: boolean; jobs: object[] }[] })
      .queues;
  }

  const ready = () => eventually(async () => (await get('/api/queues')).status === 200 || undefined);
  const names = async () => (await queues()).map(({ name }) => name);

  it('asks nobody else for anything, and every file that it names is there', async () => {
    const response = await get('/');
    const page = await response.text();
    expect(page).toContain('<title>Embedfarm queues</title>');
    expect(page).toContain('<base href="/queues/" />');
    expect(page).not.toMatch(/https?:|<style| style=|<%/u);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/u);
    for (const [, file] of page.matchAll(/(?:href|src)="(static\/[^"]+)"/gu)) {
      expect((await get(`/${file}`)).status, file).toBe(200);
    }
    expect(await (await get(`/queue/${QUEUE}`)).text()).toBe(page);
  });

  it('leaves the page of the board with the stricter policy', async () => {
    const response = await fetch(dashboard.url);
    expect(response.headers.get('content-security-policy')).not.toContain('unsafe');
  });

  it('shows the queues of the models of now, and of webhooks, to look at alone', async () => {
    const shown = await queues();
    expect(shown.map(({ name }) => name)).toEqual([`${MODEL}-interactive`, `${MODEL}-bulk`, 'webhooks']);
    expect(shown.every(({ readOnlyMode }) => readOnlyMode)).toBe(true);
    await register('other');
    await eventually(async () => (await names()).includes('other-bulk') || undefined);
    await client.zrem(keys.models, 'other');
    await eventually(async () => !(await names()).includes('other-bulk') || undefined);
  });

  it('shows what a job is, with its texts cut short', async () => {
    const [, bulk] = await queues(`?activeQueue=${encodeURIComponent(QUEUE)}&status=failed`);
    const { job, status } = (await (await get(`/api/queues/${QUEUE}/${JOB_ID}`)).json()) as {
      job: { data: { texts: string[] } };
      status: string;
    };
    expect(status).toBe('failed');
    for (const shown of [job, bulk?.jobs[0]]) {
      expect(shown).toMatchObject({
        id: JOB_ID,
        data: {
          texts: [
            expect.stringMatching(/^(a secret text ){4}a se… \(280 characters\)$/u),
            '<img src=x onerror=alert(1)>',
            'three',
            '… 2 more',
          ],
          options: { prompt: expect.stringContaining('… (280 characters)') },
        },
        opts: { share: { tenant: expect.stringContaining('… (128 characters)') } },
      });
      expect(JSON.stringify(shown).length).toBeLessThan(3_000);
    }
  });

  it('reads no more jobs for a page than a person looks at', async () => {
    const ids = Array.from({ length: 50 }, (_, index) => `0-b-1.${index}`);
    for (const id of ids)
      await client.hset(`${jobs}${id}`, { name: '1 texts', data: '{}', opts: '{}', timestamp: 1 });
    await client.rpush(`${jobs}wait`, ...ids);
    for (const asked of ['1000000', '-1', 'x', '']) {
      const query = `?activeQueue=${encodeURIComponent(QUEUE)}&status=waiting&jobsPerPage=${asked}`;
      expect((await queues(query))[1]?.jobs).toHaveLength(20);
    }
    await client.del(`${jobs}wait`);
  });

  it('does nothing to a queue or a job, by any of its actions', async () => {
    const before = await client.keys('*');
    const actions = [
      ['PUT', '/api/queues/pause'],
      ['PUT', `/api/queues/${QUEUE}/pause`],
      ['PUT', `/api/queues/${QUEUE}/empty`],
      ['PUT', `/api/queues/${QUEUE}/obliterate`],
      ['PUT', `/api/queues/${QUEUE}/clean/failed`],
      ['PUT', `/api/queues/${QUEUE}/retry/failed`],
      ['PUT', `/api/queues/${QUEUE}/promote`],
      ['PUT', `/api/queues/${QUEUE}/concurrency`],
      ['PUT', `/api/queues/${QUEUE}/${JOB_ID}/retry/failed`],
      ['PUT', `/api/queues/${QUEUE}/${JOB_ID}/clean`],
      ['PATCH', `/api/queues/${QUEUE}/${JOB_ID}/update-data`],
      ['POST', `/api/queues/${QUEUE}/add`],
      ['DELETE', `/api/queues/${QUEUE}`],
      ['POST', '/'],
    ] as const;
    for (const [method, path] of actions) {
      const response = await get(path, {
        method,
        headers: { 'content-type': 'application/json', 'x-http-method-override': 'GET' },
        body: '{"name":"x","data":{},"options":{}}',
      });
      expect([response.status, response.headers.get('allow')], path).toEqual([405, 'GET, HEAD']);
    }
    // What they would be by GET is not there either.
    for (const [, path] of actions.slice(0, -1)) expect((await get(path)).status, path).toBe(404);
    expect(await client.zscore(`${jobs}failed`, JOB_ID)).not.toBeNull();
    const after = await client.keys('*');
    const isStats = (key: string): boolean => key.startsWith(keys.statsPrefix);
    expect(after.filter((key) => !isStats(key)).toSorted()).toEqual(
      before.filter((key) => !isStats(key)).toSorted(),
    );
  });

  it.each(['/api/queues/never', '/api/queues/never/1', `/api/queues/${QUEUE}/%00`, '/api/nothing'])(
    'says that there is nothing at %s',
    async (path) => {
      const response = await get(path);
      expect(response.status).toBe(404);
      expect(response.headers.get('content-type')).toMatch(/^application\/json/u);
    },
  );

  it('says so while Redis is down, and goes on when it is back', async () => {
    await redis.kill();
    await eventually(async () => (await get('/api/queues')).status === 503 || undefined);
    expect((await get('/')).status).toBe(200);
    await redis.restart();
    await ready();
    await register(MODEL);
    await eventually(async () => (await names()).includes(`${MODEL}-bulk`) || undefined);
  });
});

it('closes at once where there is no Redis', async () => {
  const alone = await openDashboard({ redis: 'redis://127.0.0.1:1', port: 0 });
  expect((await fetch(`${alone.url}/queues/api/queues`)).status).toBe(503);
  await alone.close();
});
