import type { StatsPoint } from '@embedfarm/farm/inspect';

/** What the farm gave while so many clients were alive. */
export interface ClientsThroughput {
  /** num_client. */
  readonly clients: number;
  /** Seconds this stands for. */
  readonly seconds: number;
  /** Median over these seconds, all clients together. */
  readonly textsPerSecond: number;
  readonly textsPerSecondPerClient: number;
}

/** More than a chart has place for; a farm whose clients come and go has another number of them each second. */
const MAX_POINTS = 100;
/** To the factor e. */
const STEPS = 12;

/**
 * Throughput against num_client, fewest clients first.
 *
 * Only seconds at work count (a text was finished, or a job waited): what an idle
 * second shows is that nobody asked, not what the farm can do.
 */
export function throughputByClients(history: readonly StatsPoint[]): readonly ClientsThroughput[] {
  const textsByClients = new Map<number, number[]>();
  for (const point of history) {
    const { clients, texts } = point;
    if (!clients || !isAtWork(point)) continue;
    const known = textsByClients.get(clients);
    if (known) known.push(texts);
    else textsByClients.set(clients, [texts]);
  }
  return [...(textsByClients.size > MAX_POINTS ? gathered(textsByClients) : textsByClients)]
    .toSorted(([left], [right]) => left - right)
    .map(([clients, texts]) => {
      const textsPerSecond = median(texts);
      return {
        clients,
        seconds: texts.length,
        textsPerSecond,
        textsPerSecondPerClient: textsPerSecond / clients,
      };
    });
}

function isAtWork({ texts, backlog }: StatsPoint): boolean {
  return texts > 0 || (backlog !== null && backlog.interactive + backlog.bulk > 0);
}

/** Numbers of clients that are less than a twelfth apart, as one. */
function gathered(textsByClients: ReadonlyMap<number, readonly number[]>): Map<number, number[]> {
  const all = new Map<number, number[]>();
  for (const [clients, texts] of textsByClients) {
    const about = Math.round(Math.exp(Math.round(Math.log(clients) * STEPS) / STEPS));
    const known = all.get(about);
    if (known) known.push(...texts);
    else all.set(about, [...texts]);
  }
  return all;
}

/** Of at least one number; the mean of the middle two where their count is even. */
function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((left, right) => left - right);
  const upper = sorted[sorted.length >> 1] ?? 0;
  const lower = sorted[(sorted.length - 1) >> 1] ?? 0;
  return (lower + upper) / 2;
}
