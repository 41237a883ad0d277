import { parser } from '@prometheus-io/lezer-promql';

/** A metric that an expression asks for. */
export interface Selector {
  readonly metric: string;
  /** Labels that are matched. */
  readonly labels: readonly string[];
  /** The function that it is the argument of, as `rate`; empty for none. */
  readonly by: string;
}

export interface Promql {
  readonly selectors: readonly Selector[];
  /** Labels after `by`, `on` and so on, with the metrics that they are of. */
  readonly groupings: readonly { readonly label: string; readonly metrics: readonly string[] }[];
}

type SyntaxNode = ReturnType<typeof parser.parse>['topNode'];

const RANGED = /^(?:rate|irate|increase|delta|changes|resets|\w+_over_time)$/;
const OF_COUNTERS = /^(?:rate|irate|increase)$/;
const COUNTER = /_(?:total|bucket|sum|count)$/;

/**
 * An expression, read by the grammar that Prometheus' own page uses.
 *
 * @throws Error where it is none; for a function of a range without one, or the other way round; for the rate of what
 *   is no counter.
 */
export function parsePromql(expression: string): Promql {
  const selectors: Selector[] = [];
  const groupings: { label: string; metrics: string[] }[] = [];
  const textOf = ({ from, to }: { from: number; to: number }) => expression.slice(from, to);
  const fail = (what: string, at: number): never => {
    throw new Error(`${what} at ${at} of ${JSON.stringify(expression)}`);
  };
  parser.parse(expression).iterate({
    enter: ({ node }) => {
      if (node.type.isError) fail('no PromQL', node.from);
      if (node.name === 'VectorSelector') {
        const metric = textOf(node.getChild('Identifier') ?? node);
        const labels = namesIn(node, 'LabelName').map(textOf);
        const range = node.parent?.name === 'MatrixSelector' ? node.parent : undefined;
        const isRange = range !== undefined;
        const by = calledBy(range ?? node, textOf);
        if (isRange !== RANGED.test(by))
          fail(isRange ? 'a range for nobody' : `no range for ${by}`, node.from);
        if (OF_COUNTERS.test(by) && !COUNTER.test(metric)) fail(`the ${by} of no counter`, node.from);
        selectors.push({ metric, labels, by });
      }
      if (node.name === 'GroupingLabels') {
        // Of `sum by (label) (…)` the parent holds both; of `a unless on (label) b` too.
        const whole = node.parent?.parent ?? node;
        const metrics = namesIn(whole, 'VectorSelector').map((found) =>
          textOf(found.getChild('Identifier') ?? found),
        );
        for (const label of namesIn(node, 'LabelName')) groupings.push({ label: textOf(label), metrics });
      }
    },
  });
  return { selectors, groupings };
}

function calledBy(node: SyntaxNode, textOf: (node: SyntaxNode) => string): string {
  const call = node.parent?.name === 'FunctionCallBody' ? node.parent.parent : null;
  const name = call?.name === 'FunctionCall' ? call.getChild('FunctionIdentifier') : null;
  return name ? textOf(name) : '';
}

/** All nodes of that name below one. */
function namesIn(node: SyntaxNode, name: string): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  node.cursor().iterate((at) => {
    if (at.name === name) found.push(at.node);
  });
  return found;
}
