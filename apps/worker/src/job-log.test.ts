import type { JobEnd } from '@embedfarm/farm/worker';
import { beforeEach, describe, expect, it } from 'vitest';
import { JobLog } from './job-log.ts';

let lines: Record<string, unknown>[];
let nowMs: number;
let log: JobLog;

beforeEach(() => {
  lines = [];
  nowMs = 5_000;
  log = new JobLog(loggerThat(true), () => nowMs);
});

describe('the log of jobs', () => {
  it('has one line for a job, with its times and without its texts', () => {
    log.jobEnded(jobEnd());
    expect(lines).toEqual([
      {
        requestId: 'r-1',
        chunk: 2,
        lane: 'bulk',
        outcome: 'done',
        texts: 8,
        tokens: 80,
        failed: 0,
        queueMs: 1.2,
        deviceMs: 4,
        totalMs: 9.9,
        msg: 'job',
      },
    ]);
  });

  it('says why texts of a job have no vector', () => {
    log.jobEnded(jobEnd({ failures: [{ code: 'sequence_too_long', texts: 3 }] }));
    log.jobEnded(jobEnd({ outcome: 'retried', code: 'device_lost' }));
    expect(lines).toMatchObject([
      { outcome: 'done', code: 'sequence_too_long', failed: 3 },
      { outcome: 'retried', code: 'device_lost', failed: 0 },
    ]);
  });

  it('puts the hundred-and-first job of a second and those after it into one line', () => {
    for (let job = 0; job < 103; job += 1) log.jobEnded(jobEnd({ totalMs: job }));
    expect(lines).toHaveLength(100);
    nowMs += 1_000;
    log.jobEnded(jobEnd());
    expect(lines.slice(100)).toMatchObject([
      {
        msg: 'more jobs of a second',
        jobs: 3,
        texts: 24,
        tokens: 240,
        failed: 0,
        maxTotalMs: 102,
        outcomes: { done: 3 },
      },
      { msg: 'job' },
    ]);
  });

  it('writes at close what is left, once', () => {
    for (let job = 0; job < 101; job += 1) log.jobEnded(jobEnd());
    log.close();
    log.close();
    expect(lines).toHaveLength(101);
    expect(lines.at(-1)).toMatchObject({ jobs: 1 });
  });

  it('counts nothing at a level that does not show it', () => {
    const silent = new JobLog(loggerThat(false), () => nowMs);
    for (let job = 0; job < 200; job += 1) silent.jobEnded(jobEnd());
    silent.close();
    expect(lines).toEqual([]);
  });
});

function loggerThat(isOn: boolean): ConstructorParameters<typeof JobLog>[0] {
  return {
    isLevelEnabled: () => isOn,
    info: (fields, msg) => void lines.push(JSON.parse(JSON.stringify({ ...fields, msg }))),
  };
}

function jobEnd(given: Partial<JobEnd> = {}): JobEnd {
  return {
    requestId: 'r-1',
    chunkIndex: 2,
    lane: 'bulk',
    outcome: 'done',
    code: undefined,
    texts: 8,
    tokens: 80,
    failures: [],
    timing: { queueMs: 1.23, tokenizeMs: 1, batchWaitMs: 1, deviceMs: 4 },
    storeMs: 1,
    totalMs: 9.87,
    trace: undefined,
    isSuspect: false,
    ...given,
  };
}
