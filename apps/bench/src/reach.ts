import { digits } from './markdown-table.ts';

/** A number, and what it should be. */
export interface Reach {
  readonly what: string;
  readonly value: number;
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly isReached: boolean;
}

export function atLeast(what: string, value: number, limit: number): Reach {
  return { what, value, atLeast: limit, isReached: value >= limit };
}

export function atMost(what: string, value: number, limit: number): Reach {
  return { what, value, atMost: limit, isReached: value <= limit };
}

export const REACH_HEADERS = ['what', 'measured', 'target', 'reached'] as const;

export function reachCells({ what, value, atLeast: least, atMost: most, isReached }: Reach): string[] {
  return [
    what,
    digits(value),
    least === undefined ? `≤ ${most}` : `≥ ${least}`,
    isReached ? 'yes' : '**no**',
  ];
}
