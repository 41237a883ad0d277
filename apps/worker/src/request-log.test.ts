import type { RequestEnd } from '@embedfarm/farm/worker';
import { createLogger } from '@embedfarm/service/logger';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RequestLog } from './request-log.ts';

let written: string[];
let log: RequestLog;

beforeEach(() => {
  written = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((line) => written.push(String(line)) > 0);
  log = new RequestLog(createLogger({ name: 'worker' }));
});
afterEach(() => vi.restoreAllMocks());

const lines = () => written.map((line) => JSON.parse(line) as Record<string, unknown>);

describe('the log of requests', () => {
  it('has one line for a request, with its totals and its end', () => {
    log.requestsEnded([requestEnd()]);
    const [{ level, name, pid: _, time: __, ...fields } = {}] = lines();
    expect([level, name]).toEqual([30, 'worker']);
    expect(fields).toEqual({
      msg: 'request',
      requestId: '0-c-1',
      label: 'import',
      model: 'tiny',
      lane: 'bulk',
      state: 'completed',
      chunks: 3,
      texts: 600,
      done: 599,
      failed: 1,
      tokens: 4_000,
      waitSeconds: 0.25,
      seconds: 1.5,
    });
  });

  it('leaves out what a request has not', () => {
    log.requestsEnded([requestEnd({ label: undefined, waitMs: undefined, state: 'cancelled' })]);
    expect(Object.keys(lines()[0] ?? {})).not.toEqual(expect.arrayContaining(['label']));
    expect(Object.keys(lines()[0] ?? {})).not.toEqual(expect.arrayContaining(['waitSeconds']));
  });

  it.each([
    'a\nb',
    'a\r\nb',
    '\u001b[31mred',
    'a\u0000b',
    'a\u2028b',
    '\u009b2J',
    '"}\n{"level":60',
    '<b>\ud800',
  ])('stays one line of JSON with a label like %j', (label) => {
    log.requestsEnded([requestEnd({ label })]);
    expect(written).toHaveLength(1);
    expect(written[0]?.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
    expect(written[0]?.at(-1)).toBe('\n');
    expect(lines()[0]).toMatchObject({ level: 30, requestId: '0-c-1' });
    expect(lines()[0]?.['label']).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
  });

  it('cuts a label short that no SDK would have taken', () => {
    log.requestsEnded([requestEnd({ label: 'x'.repeat(100_000) })]);
    expect(written[0]?.length).toBeLessThan(600);
  });

  it('puts the hundred-and-first request of a second and those after it into one line', () => {
    const ends = Array.from({ length: 103 }, (_, n) =>
      requestEnd({ totalMs: n * 1_000, state: n === 102 ? 'failed' : 'completed' }),
    );
    log.requestsEnded(ends);
    expect(written).toHaveLength(101);
    expect(lines().at(-1)).toMatchObject({
      msg: 'more requests of a second',
      requests: 3,
      texts: 1_800,
      done: 1_797,
      failed: 3,
      tokens: 12_000,
      maxSeconds: 102,
      states: { completed: 2, failed: 1 },
    });
  });
});

function requestEnd(given: Partial<RequestEnd> = {}): RequestEnd {
  return {
    requestId: '0-c-1',
    label: 'import',
    model: 'tiny',
    lane: 'bulk',
    state: 'completed',
    chunks: 3,
    texts: 600,
    done: 599,
    failed: 1,
    tokens: 4_000,
    waitMs: 250,
    totalMs: 1_500,
    ...given,
  };
}
