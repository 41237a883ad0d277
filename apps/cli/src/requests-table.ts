import type { RequestStatus } from '@embedfarm/sdk';
import { alignColumns } from './align-columns.ts';
import { bar, duration } from './progress-bar.ts';

const BAR_WIDTH = 16;
const MAX_LABEL = 30;

/** Requests for eyes, a line each. */
export function requestsTable(requests: readonly RequestStatus[], nowMs: number): string {
  if (requests.length === 0) return 'no requests\n';
  const rows = requests.map((request) => {
    const { texts, done, failed, label = '', createdAtMs, endedAtMs, fault } = request;
    const settled = done + failed;
    return [
      request.id,
      label.length > MAX_LABEL ? `${label.slice(0, MAX_LABEL - 1)}…` : label,
      request.state,
      bar(settled, texts, BAR_WIDTH),
      `${settled}/${texts} texts`,
      failed === 0 ? '' : `${failed} failed`,
      timeOf(request, nowMs, endedAtMs ?? createdAtMs),
      fault ?? '',
    ];
  });
  return `${alignColumns(rows).join('\n')}\n`;
}

function timeOf({ endedAtMs, etaMs }: RequestStatus, nowMs: number, sinceMs: number): string {
  if (endedAtMs === undefined && etaMs !== undefined && etaMs > 0) return `${duration(etaMs)} left`;
  const age = duration(Math.max(0, nowMs - sinceMs));
  return endedAtMs === undefined ? `sent ${age} ago` : `ended ${age} ago`;
}
