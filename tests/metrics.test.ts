import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDashboard } from '@embedfarm/dashboard/dashboard';
import { openGateway, type RunningGateway } from '@embedfarm/gateway/gateway';
import { EmbeddingFarm } from '@embedfarm/sdk';
import { eventually } from '@embedfarm/testkit/eventually';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { writeTinyModel } from '@embedfarm/testkit/tiny-model';
import { openWorker, type RunningWorker } from '@embedfarm/worker/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = new URL('../', import.meta.url);
const PAGE = await readFile(new URL('docs/metrics.md', ROOT), 'utf8');

/** A metric as a scrape tells it. */
interface Metric {
  readonly kind: string;
  readonly help: string;
  readonly labels: readonly string[];
}

let redis: TestRedis;
let folder: string;
let worker: RunningWorker;
let dashboard: Awaited<ReturnType<typeof openDashboard>>;
let gateway: RunningGateway;
const ROLES = ['worker', 'dashboard', 'gateway'] as const;
type Role = (typeof ROLES)[number];
let scrapes: Record<Role, Map<string, Metric>>;

beforeAll(async () => {
  redis = await openTestRedis();
  folder = await mkdtemp(join(tmpdir(), 'embedfarm-metrics-'));
  const model = await writeTinyModel(join(folder, 'tiny'), { maxSequenceLength: 32 });
  const cacheDir = join(folder, 'cache');
  worker = await openWorker({ redis: redis.url, model, cacheDir, devices: 'cpu:1', metricsPort: 0 });
  dashboard = await openDashboard({ redis: redis.url, port: 0 });
  gateway = await openGateway({ redis: redis.url, port: 0, bertClient: { portIn: 0, portOut: 0 } });
  await eventually(async () => (await fetch(`${gateway.url}/v1/models`)).status === 200);
  const farm = await EmbeddingFarm.connect({ redis: redis.url });
  await farm.encode(['the river', 'the']);
  const long = Array.from({ length: 40 }, () => 'the').join(' ');
  // One that fails, so that there is a series of failures.
  await farm.encode([long], { truncate: 'error' }).catch(() => undefined);
  await eventually(async () => (await scrape(worker.metricsUrl)).includes('farm_failed_texts_total{'));
  await eventually(async () => (await scrape(dashboard.url)).includes('bullmq_job_count{'));
  scrapes = {
    worker: parseScrape(await scrape(worker.metricsUrl)),
    dashboard: parseScrape(await scrape(dashboard.url)),
    gateway: parseScrape(await scrape(gateway.url)),
  };
  await farm.close();
});
afterAll(async () => {
  await gateway.close();
  await dashboard.close();
  await worker.close();
  await redis.close();
  await rm(folder, { recursive: true, force: true });
});

describe('docs/metrics.md', () => {
  it.each(ROLES)('lists every metric of the %s as a scrape tells it', (role) => {
    const told = [...scrapes[role]].filter(([name]) => name.startsWith('farm_'));
    const rows = told.map(([name, { kind, help }]) => [name, kind, help]);
    const listed = rowsOf(role).map(([name, kind, , , meaning]) => [name, kind, meaning]);
    expect(listed).toEqual(rows);
  });

  it.each(ROLES)('names the labels of the %s', (role) => {
    // Without a series yet there is no label to see.
    const seen = rowsOf(role).filter(([name = '']) => scrapes[role].get(name)?.labels.length);
    const told = seen.map(([name = '']) => [name, scrapes[role].get(name)?.labels.join(', ')]);
    expect(told.length).toBeGreaterThan(3);
    expect(seen.map(([name, , labels]) => [name, labels])).toEqual(told);
  });

  it('gives each metric the unit that its name says', () => {
    const units = { seconds: 's', bytes: 'bytes', ratio: '0 to 1' };
    const rows = ROLES.flatMap(rowsOf);
    for (const [end, unit] of Object.entries(units)) {
      const named = rows.filter(([name = '']) => new RegExp(`_${end}(_total)?$`).test(name));
      expect(new Set(named.map(([, , , told]) => told))).toEqual(new Set([unit]));
    }
    expect(rows.filter(([, , , unit]) => unit === '')).toEqual([]);
  });
});

describe('deploy', () => {
  it('has a Grafana dashboard that asks for nothing that no scrape has', async () => {
    const text = await readFile(new URL('deploy/grafana/dashboard.json', ROOT), 'utf8');
    const { panels, templating } = JSON.parse(text) as GrafanaDashboard;
    const asked = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(asked.length).toBeGreaterThan(20);
    const variables = templating.list.flatMap(({ definition = [] }) => definition);
    expect(unknownNames([...asked, ...variables])).toEqual([]);
    // Its source is a variable, so it loads beside any.
    expect(text.match(/"uid": "(?!\$\{datasource\}|embedfarm)/g)).toBeNull();
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });

  it('has alerts that ask for nothing that no scrape has', async () => {
    const text = await readFile(new URL('deploy/prometheus/alerts.yml', ROOT), 'utf8');
    const alerts = [...text.matchAll(/- alert: (\w+)\n +expr: '([^\n]+)'\n +for: \d+[smh]\n/g)];
    expect(alerts).toHaveLength(text.split('- alert:').length - 1);
    expect(unknownNames(alerts.map(([, , expr = '']) => expr))).toEqual([]);
    for (const [, name = ''] of alerts) expect(PAGE).toContain(`\`${name}\``);
  });
});

interface GrafanaDashboard {
  readonly panels: { id: number; targets?: { expr: string }[] }[];
  readonly templating: { list: { definition?: string }[] };
}

/** Names of metrics in PromQL that no scrape has. */
function unknownNames(expressions: readonly string[]): string[] {
  const names = expressions.flatMap(
    (expression) => expression.match(/\b(?:farm|process|bullmq|nodejs)_\w+/g) ?? [],
  );
  expect(names.length).toBeGreaterThanOrEqual(expressions.length);
  const known = new Set(ROLES.flatMap((role) => [...scrapes[role].keys()]));
  return names.filter((name) => !known.has(name) && !known.has(name.replace(/_(?:bucket|sum|count)$/, '')));
}

/** Rows of the table below the heading of a role: name, kind, labels, unit, meaning. */
function rowsOf(role: Role): string[][] {
  const [, part = ''] = PAGE.split(new RegExp(`^### Of a ${role}|^### Of the ${role}`, 'm'));
  const [section = ''] = part.split(/^##/m);
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim().replaceAll('`', '')));
}

async function scrape(url: string | undefined): Promise<string> {
  return await (await fetch(`${url}/metrics`)).text();
}

function parseScrape(text: string): Map<string, Metric> {
  const metrics = new Map<string, Metric>();
  for (const [, name = '', help = ''] of text.matchAll(/^# HELP (\S+) (.*)$/gm)) {
    const [, kind = ''] = new RegExp(`^# TYPE ${name} (\\w+)$`, 'm').exec(text) ?? [];
    const [, sample = ''] = new RegExp(`^${name}(?:_bucket|_sum|_count)?\\{([^}]*)\\}`, 'm').exec(text) ?? [];
    const labels = [...sample.matchAll(/(\w+)="/g)].map(([, label = '']) => label);
    metrics.set(name, { kind, help, labels: labels.filter((label) => label !== 'le') });
  }
  return metrics;
}
