import type { BoardView } from './board-memory.ts';
import type { BenchCurve } from './bench-curve.ts';

export interface ClientsRow {
  readonly clients: number;
  readonly live: number | null;
  readonly seconds: number;
  readonly bench: number | null;
}

/** One row for each number of clients that is known of, by rising number. */
export function clientsRows(
  byClients: BoardView['byClients'],
  curve: BenchCurve | undefined,
  isPerClient: boolean,
): readonly ClientsRow[] {
  const rows = new Map<number, ClientsRow>();
  const share = (texts: number, clients: number): number => (isPerClient ? texts / clients : texts);
  for (const { x, textsPerSecond } of curve?.points ?? []) {
    rows.set(x, { clients: x, live: null, seconds: 0, bench: share(textsPerSecond, x) });
  }
  for (const { clients, seconds, textsPerSecond } of byClients) {
    if (clients < 1) continue;
    const bench = rows.get(clients)?.bench ?? null;
    rows.set(clients, { clients, live: share(textsPerSecond, clients), seconds, bench });
  }
  return [...rows.values()].toSorted((left, right) => left.clients - right.clients);
}
