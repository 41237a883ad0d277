/** One line of a scrape with a value. */
export interface PrometheusSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric as a scrape tells it, with its lines in their order. */
export interface PrometheusFamily {
  readonly kind: string;
  readonly help: string;
  readonly samples: readonly PrometheusSample[];
}

const KINDS = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];
const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*/;
const VALUE = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|[+-]?Inf|NaN)$/i;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\', '"': '"', n: '\n' };

/**
 * A scrape, read as strictly as Prometheus' text format 0.0.4 is written: each metric once, its HELP and TYPE before its
 * lines and these together, each series once, buckets that rise to `+Inf`. https://prometheus.io/docs/instrumenting/exposition_formats/
 *
 * @throws Error naming the first line that is wrong.
 */
export function parsePrometheusText(text: string): Map<string, PrometheusFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Draft>();
  const seen = new Set<string>();
  let current: Draft | undefined;
  for (const [index, line] of text.slice(0, -1).split('\n').entries()) {
    const fail = (what: string): never => {
      throw new Error(`line ${index + 1}: ${what}: ${line}`);
    };
    if (line === '') continue;
    const [, word, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? [];
    if (word !== undefined) {
      if (NAME.exec(name)?.[0] !== name) fail('no name of a metric');
      if (current?.name !== name) {
        if (families.has(name)) fail('a metric that was told before');
        current = { name, kind: 'untyped', help: '', told: new Set(), samples: [] };
        families.set(name, current);
      }
      if (current.samples.length > 0) fail(`a ${word} after its lines`);
      if (current.told.has(word)) fail(`a second ${word}`);
      current.told.add(word);
      if (word === 'HELP') current.help = rest;
      else if (KINDS.includes(rest)) current.kind = rest;
      else fail('no kind of a metric');
      continue;
    }
    if (line.startsWith('#')) fail('a comment that nobody writes');
    const sample = parseSample(line, fail);
    if (!current || !belongs(sample.name, current)) return fail('a line apart from its metric');
    const series = JSON.stringify([
      sample.name,
      Object.entries(sample.labels)
        .map((pair) => JSON.stringify(pair))
        .toSorted((a, b) => (a < b ? -1 : 1)),
    ]);
    if (seen.has(series)) fail('a series that was told before');
    seen.add(series);
    current.samples.push(sample);
  }
  for (const family of families.values()) if (family.kind === 'histogram') checkBuckets(family);
  return families;
}

interface Draft {
  readonly name: string;
  kind: string;
  help: string;
  readonly told: Set<string>;
  readonly samples: PrometheusSample[];
}

function belongs(name: string, { name: family, kind }: Draft): boolean {
  if (name === family) return kind !== 'histogram';
  const ends =
    kind === 'histogram' ? ['_bucket', '_sum', '_count'] : kind === 'summary' ? ['_sum', '_count'] : [];
  return ends.some((end) => name === family + end);
}

function parseSample(line: string, fail: (what: string) => never): PrometheusSample {
  const name = NAME.exec(line)?.[0] ?? fail('no name of a metric');
  let at = name.length;
  const labels: Record<string, string> = {};
  if (line[at] === '{') {
    at += 1;
    while (line[at] !== '}') {
      const label = LABEL.exec(line.slice(at))?.[0] ?? fail('no name of a label');
      if (Object.hasOwn(labels, label)) fail(`a second label ${label}`);
      at += label.length;
      if (line.slice(at, at + 2) !== '="') fail(`no value of the label ${label}`);
      at += 2;
      let value = '';
      while (line[at] !== '"') {
        if (at >= line.length) fail(`the label ${label} has no end`);
        if (line[at] === '\\') {
          at += 1;
          value += ESCAPES[line[at] ?? ''] ?? fail(`an escape that is none in the label ${label}`);
        } else value += line[at] ?? '';
        at += 1;
      }
      labels[label] = value;
      at += 1;
      if (line[at] === ',') at += /^, ?/.exec(line.slice(at))?.[0].length ?? 0;
      else if (line[at] !== '}') fail('no comma between labels');
    }
    at += 1;
  }
  const [space, value = '', ...more] = line.slice(at).split(' ');
  if (space !== '' || more.length > 0 || !VALUE.test(value)) fail('no value');
  return { name, labels, value: Number(value.replace(/Inf$/i, 'Infinity')) };
}

/** Of each series the buckets rise, up to all that was counted. */
function checkBuckets({ name, samples }: Draft): void {
  const counts = new Map<string, number[]>();
  const edges = new Map<string, number>();
  for (const sample of samples) {
    const { le, ...labels } = sample.labels;
    const series = JSON.stringify(labels);
    if (sample.name === `${name}_bucket`) {
      const edge = Number(le?.replace('+Inf', 'Infinity'));
      if (!(edge > (edges.get(series) ?? -Infinity)))
        throw new Error(`${name} ${series}: le="${le}" does not rise`);
      edges.set(series, edge);
      const told = counts.get(series) ?? [];
      if (sample.value < (told.at(-1) ?? 0))
        throw new Error(`${name} ${series}: a bucket has less than the one before`);
      counts.set(series, [...told, sample.value]);
    }
    if (sample.name === `${name}_count` && counts.get(series)?.at(-1) !== sample.value)
      throw new Error(`${name} ${series}: not all of it is in the last bucket`);
  }
  for (const [series, edge] of edges)
    if (edge !== Infinity) throw new Error(`${name} ${series}: no le="+Inf"`);
}
