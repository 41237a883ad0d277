import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';

// Sockets close a few turns of the loop after they are told to.
const SETTLE_TIMEOUT_MS = 3_000;

// Standard streams, and what vitest itself opens between tests to read files and to report.
const NOT_OURS = new Set(['TTYWrap', 'FSReqPromise', 'FSReqCallback', 'FileHandle', 'CloseReq', 'Immediate']);

/** Call once at the top of a test file: fails it when sockets, timers, threads or children outlive its tests. */
export function checkOpenHandles(): void {
  let before = new Map<string, number>();
  beforeAll(() => {
    before = countResources();
    // Vitest's reporting may have a short timer at this moment; it is gone by the end.
    before.delete('Timeout');
  });
  afterAll(async () => {
    const deadlineMs = performance.now() + SETTLE_TIMEOUT_MS;
    while (newResources(before).length > 0 && performance.now() < deadlineMs) {
      // Not held by the loop, so that the wait is not counted itself.
      await delay(20, undefined, { ref: false });
    }
    const left = newResources(before);
    if (left.length > 0) throw new Error(`still open after the tests: ${left.join(', ')}`);
  });
}

function newResources(before: ReadonlyMap<string, number>): string[] {
  return [...countResources()]
    .filter(([kind, count]) => count > (before.get(kind) ?? 0))
    .map(([kind, count]) => `${count - (before.get(kind) ?? 0)} ${kind}`);
}

function countResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (!NOT_OURS.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}
