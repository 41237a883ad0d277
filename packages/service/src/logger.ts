import { pino, type Logger } from 'pino';
import type { LOG_LEVELS } from './env.ts';
import { prettyLine } from './pretty-line.ts';

export type { Logger } from 'pino';

export interface LoggerOptions {
  /** Who speaks: `worker`, `dashboard`, … */
  readonly name: string;
  /** Least level that is written. Default: `info`. */
  readonly level?: (typeof LOG_LEVELS)[number];
}

/**
 * Lines on stderr, since stdout is for results: JSON, or one readable line each on a terminal. Texts and
 * vectors never go into a log.
 */
export function createLogger({ name, level = 'info' }: LoggerOptions): Logger {
  const write = process.stderr.isTTY
    ? (line: string) => process.stderr.write(prettyLine(line))
    : (line: string) => process.stderr.write(line);
  return pino({ name, level, base: { pid: process.pid } }, { write });
}
