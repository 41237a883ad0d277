import { hasEnded, type RequestRecord } from './request-record.ts';

type Progress = Pick<
  RequestRecord,
  'state' | 'texts' | 'textsDone' | 'textsFailed' | 'startedAtMs' | 'updatedAtMs' | 'endedAtMs'
>;

/** What is left of a request at its pace so far, in ms; undefined before the first chunk is done. */
export function requestEtaMs(record: Progress): number | undefined {
  const { texts, startedAtMs, updatedAtMs } = record;
  const settled = record.textsDone + record.textsFailed;
  const workedMs = startedAtMs === undefined ? 0 : updatedAtMs - startedAtMs;
  const left = hasEnded(record) || record.state === 'cancelled' ? 0 : texts - settled;
  if (left === 0) return 0;
  return settled === 0 ? undefined : Math.round((workedMs / settled) * left);
}
