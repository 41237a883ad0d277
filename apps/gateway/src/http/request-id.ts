import { randomUUID } from 'node:crypto';

/** What is safe in a header and in a log. */
const WELL_FORMED = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/** The caller's own id where it is one, else a new one. */
export function requestId(given: string | undefined): string {
  return given !== undefined && WELL_FORMED.test(given) ? given : randomUUID();
}
