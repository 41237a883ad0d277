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

/**
 * Throughput against num_client, fewest clients first.
 *
 * Only seconds at work count (a text was finished, or a job waited): what an idle
 * second shows is that nobody asked, not what the farm can do.
 */
export function throughputByClients(history: readonly StatsPoint[]): readonly ClientsThroughput[] {
  const textsByClients = new Map<number, number[]>();
  for (const point of history) {
    if (point.clients === 0 || !isAtWork(point)) continue;
    const texts = textsByClients.get(point.clients);
    if (texts) texts.push(point.texts);
    else textsByClients.set(point.clients, [point.texts]);
  }
  return [...textsByClients]
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
  return texts > 0 || backlog.interactive > 0 || backlog.bulk > 0;
}

/** Of at least one number; the mean of the middle two where their count is even. */
function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((left, right) => left - right);
  const upper = sorted[sorted.length >> 1] ?? 0;
  const lower = sorted[(sorted.length - 1) >> 1] ?? 0;
  return (lower + upper) / 2;
}
