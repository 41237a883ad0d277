import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { parsePromql } from './promql.ts';

const ROOT = new URL('../', import.meta.url);
const read = (path: string) => readFile(new URL(path, ROOT), 'utf8');

/** Labels of each metric of the farm, as docs/metrics.md lists them: metrics.test.ts holds them against scrapes. */
const LABELS = labelsOf(await read('docs/metrics.md'));
/** What Prometheus adds to every series, and what buckets have. */
const EVERYWHERE = ['instance', 'job', 'le'];

const durationSchema = z.string().regex(/^\d+[smhd]$/);
const alertsSchema = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string().min(1),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^Farm[A-Za-z]+$/),
          expr: z.string(),
          for: durationSchema,
          labels: z.strictObject({ severity: z.enum(['critical', 'warning']) }),
          annotations: z.strictObject({ summary: z.string().min(1), description: z.string().min(1) }),
        }),
      ),
    }),
  ),
});
const scrapeSchema = z.strictObject({
  global: z.strictObject({ scrape_interval: durationSchema }),
  rule_files: z.array(z.string()),
  scrape_configs: z.array(
    z.strictObject({
      job_name: z.string().min(1),
      dns_sd_configs: z
        .array(z.strictObject({ names: z.array(z.string()), type: z.literal('A'), port: z.int() }))
        .optional(),
      static_configs: z.array(z.strictObject({ targets: z.array(z.string()) })).optional(),
    }),
  ),
});

const datasourceSchema = z.strictObject({ type: z.literal('prometheus'), uid: z.literal('${datasource}') });
const gridPosSchema = z.strictObject({
  x: z.int().min(0).max(23),
  y: z.int().min(0),
  w: z.int().min(1).max(24),
  h: z.int().min(1),
});
const rowSchema = z.strictObject({
  id: z.int().min(1),
  type: z.literal('row'),
  title: z.string().min(1),
  collapsed: z.literal(false),
  gridPos: gridPosSchema,
  panels: z.tuple([]),
});
const targetSchema = z.looseObject({
  refId: z.string().regex(/^[A-Z]$/),
  expr: z.string(),
  datasource: datasourceSchema,
  legendFormat: z.string().optional(),
});
const figureSchema = z.looseObject({
  id: z.int().min(1),
  type: z.enum(['stat', 'timeseries']),
  title: z.string().min(1),
  description: z.string(),
  datasource: datasourceSchema,
  gridPos: gridPosSchema,
  fieldConfig: z.looseObject({
    defaults: z.looseObject({ unit: z.string() }),
    overrides: z.array(z.unknown()),
  }),
  targets: z.array(targetSchema).min(1),
});
const dashboardSchema = z.looseObject({
  title: z.literal('Embedfarm'),
  uid: z.literal('embedfarm'),
  schemaVersion: z.int().min(39),
  time: z.strictObject({ from: z.string(), to: z.string() }),
  annotations: z.strictObject({ list: z.array(z.unknown()) }),
  templating: z.strictObject({
    list: z.array(
      z.looseObject({
        name: z.string(),
        type: z.enum(['datasource', 'query']),
        query: z.union([z.string(), z.strictObject({ query: z.string(), refId: z.string() })]),
      }),
    ),
  }),
  panels: z.array(z.discriminatedUnion('type', [rowSchema, figureSchema])),
});

describe('deploy/prometheus/alerts.yml', async () => {
  const { groups } = alertsSchema.parse(yamlOf(await read('deploy/prometheus/alerts.yml')));
  const rules = groups.flatMap((group) => group.rules);

  it('names each alert once', () => {
    const names = rules.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(rules.map((rule) => [rule.alert, rule] as const))('%s asks for what is there', (_, rule) => {
    checkNames(rule.expr);
    const { groupings } = parsePromql(rule.expr);
    // What is said in words must be a label of what comes out.
    const said = [
      ...Object.values(rule.annotations)
        .join(' ')
        .matchAll(/\{\{ \$labels\.(\w+) \}\}/g),
    ];
    const isAggregated = /^(?:sum|max|min|histogram_quantile)\b/.test(rule.expr);
    const left = [...groupings.map(({ label }) => label), ...(isAggregated ? [] : EVERYWHERE)];
    for (const [, label] of said) expect(left).toContain(label);
    expect(
      Object.values(rule.annotations)
        .join(' ')
        .replaceAll(/\{\{ \$labels\.\w+ \}\}/g, ''),
    ).not.toMatch(/[{}]/);
  });
});

it('deploy/prometheus/prometheus.yml loads the rules that lie beside it', async () => {
  const { rule_files: files, scrape_configs: jobs } = scrapeSchema.parse(
    yamlOf(await read('deploy/prometheus/prometheus.yml')),
  );
  expect(await readdir(new URL('deploy/prometheus/', ROOT))).toEqual(expect.arrayContaining(files));
  expect(new Set(jobs.map((job) => job.job_name)).size).toBe(jobs.length);
});

describe('deploy/grafana/dashboard.json', async () => {
  const dashboard = dashboardSchema.parse(JSON.parse(await read('deploy/grafana/dashboard.json')));
  const { panels, templating } = dashboard;
  const figures = panels.filter((panel) => panel.type !== 'row');
  const variables = templating.list.map(({ name }) => name);

  it('lays no panel over another', () => {
    for (const [index, { title, gridPos: a }] of panels.entries()) {
      expect(a.x + a.w, title).toBeLessThanOrEqual(24);
      const over = panels
        .slice(index + 1)
        .filter(({ gridPos: b }) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h);
      expect(
        over.map((panel) => panel.title),
        title,
      ).toEqual([]);
    }
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });

  it.each(figures.map((panel) => [panel.title, panel] as const))(
    'asks for what is there in %s',
    (_, panel) => {
      expect(new Set(panel.targets.map(({ refId }) => refId)).size).toBe(panel.targets.length);
      for (const { expr, legendFormat = '' } of panel.targets) {
        for (const [, variable] of expr.matchAll(/\$\{?(\w+)\}?/g))
          expect([...variables, '__rate_interval']).toContain(variable);
        const asked = expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$\w+/g, '.*');
        checkNames(asked);
        const { groupings } = parsePromql(asked);
        const isAggregated = /^(?:\d|sum|max|min|histogram_quantile)\b/.test(asked);
        const left = [...groupings.map(({ label }) => label), ...(isAggregated ? [] : EVERYWHERE)];
        for (const [, label] of legendFormat.matchAll(/\{\{\s*(\w+)\s*\}\}/g))
          expect(left, expr).toContain(label);
      }
    },
  );

  it('offers what is there to choose from', () => {
    const asked = templating.list.flatMap(({ query }) => (typeof query === 'string' ? [] : [query.query]));
    expect(asked.length).toBeGreaterThan(0);
    for (const query of asked) {
      const [, metric = '', label = ''] = /^label_values\((\w+), (\w+)\)$/.exec(query) ?? [];
      expect(labelsFor(metric)).toContain(label);
    }
  });
});

describe('the reader of PromQL', () => {
  it.each([
    '',
    'sum(a',
    'a b',
    'a{b="c" d="e"}',
    'nosuch(a)',
    'sum by (a (b)',
    'a + ',
    'rate(a_total)',
    'a_total[5m]',
    'rate(a[5m])',
    'a{b=c}',
  ])('refuses %j', (expression) => {
    expect(() => parsePromql(expression)).toThrow(JSON.stringify(expression));
  });
});

/** Fails for a metric that nobody has, and for a label that it has not. */
function checkNames(expression: string): void {
  const { selectors, groupings } = parsePromql(expression);
  expect(selectors.length).toBeGreaterThan(0);
  for (const { metric, labels } of selectors)
    expect(labelsFor(metric), `${metric} in ${expression}`).toEqual(expect.arrayContaining([...labels]));
  for (const { label, metrics } of groupings)
    expect([...metrics.flatMap(labelsFor), ...EVERYWHERE], expression).toContain(label);
}

/** @throws Error for a metric that nobody has. */
function labelsFor(metric: string): string[] {
  if (/^(?:process|nodejs)_/.test(metric)) return EVERYWHERE;
  if (metric === 'bullmq_job_count') return ['queue', 'state', ...EVERYWHERE];
  const labels = LABELS.get(metric) ?? LABELS.get(metric.replace(/_(?:bucket|sum|count)$/, ''));
  if (!labels) throw new Error(`docs/metrics.md has no ${metric}`);
  return [...labels, ...EVERYWHERE];
}

function labelsOf(page: string): Map<string, string[]> {
  const rows = page.split('\n').filter((line) => line.startsWith('| `farm_'));
  const labels = new Map<string, string[]>();
  for (const row of rows) {
    const [, name = '', , told = ''] = row.split('|').map((cell) => cell.trim().replaceAll('`', ''));
    labels.set(name, [...(labels.get(name) ?? []), ...told.split(', ').filter((label) => label !== '')]);
  }
  return labels;
}

/** @throws Error for what is no YAML, and for a key that comes twice. */
function yamlOf(text: string): unknown {
  const document = parseDocument(text, { strict: true, uniqueKeys: true });
  const [fault] = [...document.errors, ...document.warnings];
  if (fault) throw fault;
  return document.toJS();
}
