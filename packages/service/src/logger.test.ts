import { FarmError } from '@embedfarm/contract';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLogger } from './logger.ts';
import { prettyLine } from './pretty-line.ts';

afterEach(() => vi.restoreAllMocks());

describe('createLogger', () => {
  it('writes JSON lines to stderr, with the error and its code', () => {
    const lines: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((line) => lines.push(String(line)) > 0);
    const logger = createLogger({ name: 'worker', level: 'info' });
    logger.debug('too quiet');
    logger.error({ err: new FarmError('device_lost', 'cpu/0 is gone') }, 'batch failed');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      name: 'worker',
      level: 50,
      msg: 'batch failed',
      err: { code: 'device_lost', message: '[device_lost] cpu/0 is gone' },
    });
  });
});

describe('prettyLine', () => {
  it('is one readable line', () => {
    const json = JSON.stringify({
      level: 30,
      time: 0,
      name: 'worker',
      pid: 7,
      msg: 'ready',
      devices: ['cpu/0'],
    });
    expect(prettyLine(json)).toMatch(/^\d\d:\d\d:\d\d info {2}worker\[7\]: ready devices=\["cpu\/0"\]\n$/);
  });

  it('stays one line, whatever it is told of', () => {
    const odd = 'a\nb\r\u001b[2Jc\u009bd\u2028e';
    const line = prettyLine(
      JSON.stringify({ level: 40, time: 0, msg: odd, label: odd, list: [odd], err: { message: odd } }),
    );
    expect(line.trimEnd().split(/[\p{Cc}\u2028]/u)).toHaveLength(1);
    expect(line).toContain(String.raw`label=a\u000ab\u000d\u001b[2Jc\u009bd\u2028e`);
  });

  it('leaves what is no log line as it is', () => {
    expect(prettyLine('plain\n')).toBe('plain\n');
  });
});
