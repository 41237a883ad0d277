import { eventually } from '@embedfarm/testkit/eventually';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { encodeRequest, manyTexts, submitted, TestFarm } from '../testing/test-farm.ts';
import { Inspector } from './inspector.ts';

checkOpenHandles();

let farm: TestFarm;

beforeAll(async () => {
  farm = await TestFarm.open();
});
afterEach(() => farm.rest());
afterAll(() => farm.close());

it('tells of every queue by state, with one help for all, and leaves no key behind', async () => {
  const inspector = await Inspector.open({ redis: farm.redis.url });
  const before = await farm.client.keys('*');
  const empty = await inspector.queueMetrics(['never', 'org/other']);
  expect(empty.split('\n').filter((line) => line.startsWith('# TYPE'))).toEqual([
    '# TYPE bullmq_job_count gauge',
  ]);
  expect(empty).toContain('bullmq_job_count{queue="org/other-bulk", state="waiting"} 0\n');
  expect(empty).toContain('bullmq_job_count{queue="webhooks", state="waiting"} 0\n');
  expect(empty).not.toContain('completed_total');
  expect(await farm.client.keys('*')).toEqual(before);
  await inspector.close();
});

it('counts what waits, and the requests that are open', async () => {
  await farm.registerModel();
  const producer = await farm.openProducer();
  await submitted(producer, manyTexts(600), encodeRequest({ model: 'fake' }), {}, {});
  const inspector = await Inspector.open({ redis: farm.redis.url });
  const text = await inspector.queueMetrics(['fake']);
  expect(text).toContain('bullmq_job_count{queue="fake-bulk", state="prioritized"} 3\n');
  expect(await inspector.status()).toMatchObject({ openRequests: 1, webhooksDue: 0 });
  await inspector.close();
});

it('closes beside a Redis that is gone', async () => {
  const inspector = await Inspector.open({ redis: farm.redis.url });
  await inspector.queueMetrics(['fake']);
  await farm.redis.kill();
  await eventually(() => farm.client.status !== 'ready');
  const asked = inspector.queueMetrics(['fake']).catch((fault: Error) => fault.message);
  await inspector.close();
  expect(await asked).toMatch(/closed|ended/iu);
  await farm.redis.restart();
});
