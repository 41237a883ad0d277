import type { FarmLimits, FarmStatus } from '@embedfarm/sdk';
import { alignColumns } from './align-columns.ts';

/** What the farm holds and may hold, for eyes. */
export function limitsTable(
  { texts, bytes, memoryShare, weights }: FarmLimits & { weights: Record<string, number> },
  held: FarmStatus['admission'],
): string {
  const { memory } = held;
  const rows = [
    ['texts', `${held.texts}`, `of ${texts}`],
    ['bytes', megabytes(held.bytes), bytes === null ? 'as far as memory goes' : `of ${megabytes(bytes)}`],
    [
      'memory',
      megabytes(memory.usedBytes),
      `of ${megabytes(memory.stopBytes)}, ${(memoryShare * 100).toFixed(0)} % of ${megabytes(memory.maxBytes)}`,
    ],
    ...Object.entries(weights).map(([tenant, weight]) => ['weight', tenant, `${weight}`]),
  ];
  return `${alignColumns(rows).join('\n')}\n`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
