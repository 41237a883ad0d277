import { FARM_ERROR_CODES, FarmError } from '@embedfarm/contract';
import { inspect } from 'node:util';
import type { Tally } from './tally.ts';

/** A message that repeats what it was given, of any length, is a fault of its own. */
const MAX_MESSAGE_LENGTH = 10_000;

/** One call of somebody who may be hostile. */
export interface FuzzCase {
  /** What is counted under one name. */
  readonly kind: string;
  /** What it takes to see it again, beside the seed. */
  readonly about: () => string;
  /** Settles, or throws, as the SDK does; a wrong vector is an `Inexact`. */
  readonly run: () => Promise<unknown>;
  /** By then it must have settled, in ms. */
  readonly limitMs: number;
  /** What a source of the case's own may have thrown, which a stream hands on. */
  readonly isOwn?: (thrown: unknown) => boolean;
  /** Whether only a value will do: nothing was done to this call. */
  readonly mustSucceed?: boolean;
}

/** A vector that is not its text's, or a shape that no caller expects. */
export class Inexact extends Error {
  override readonly name = 'Inexact';
}

/** Runs a case to its end, and says what is wrong with that. */
export async function judge(fuzzCase: FuzzCase, tally: Tally): Promise<void> {
  const { about, run, limitMs, isOwn } = fuzzCase;
  const say = (what: string): void => tally.fault(`${fuzzCase.kind}: ${what}\n    ${about()}`);
  let timer: NodeJS.Timeout | undefined;
  const hung = new Promise<'hung'>((resolve) => {
    timer = setTimeout(() => resolve('hung'), limitMs);
  });
  try {
    const end = await Promise.race([runNow(run), hung]);
    tally.count(fuzzCase.kind, end === 'hung' ? 'HUNG' : 'value');
    if (end === 'hung') say(`has not settled within ${limitMs} ms`);
  } catch (thrown) {
    const outcome = outcomeOf(thrown);
    if (outcome !== undefined) {
      tally.count(fuzzCase.kind, outcome);
      if (outcome === 'internal' || outcome === 'deadline_exceeded') {
        const { message } = thrown as FarmError;
        tally.sample(`${fuzzCase.kind}: ${message.slice(0, 300)}\n    ${about()}`);
      }
      const { length } = (thrown as FarmError).message;
      if (length > MAX_MESSAGE_LENGTH) say(`a message of ${length} characters`);
      if (fuzzCase.mustSucceed === true) say(`nothing was done to it: ${show(thrown)}`);
    } else if (isOwn?.(thrown) === true) {
      tally.count(fuzzCase.kind, 'own fault');
    } else {
      tally.count(fuzzCase.kind, 'UNTYPED');
      say(`threw ${show(thrown)}`);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** What is thrown at once counts as a rejection. */
async function runNow(run: () => Promise<unknown>): Promise<unknown> {
  return await run();
}

/** The code of an error of the farm. */
function outcomeOf(thrown: unknown): string | undefined {
  try {
    if (!(thrown instanceof FarmError)) return undefined;
    return Object.hasOwn(FARM_ERROR_CODES, thrown.code) ? thrown.code : undefined;
  } catch {
    // A proxy may throw when it is looked at.
    return undefined;
  }
}

/** Anything as a short text, whatever it does when it is looked at. */
export function show(value: unknown): string {
  try {
    const text =
      value instanceof Error
        ? `${value.stack?.slice(0, 1_500)}`
        : inspect(value, { depth: 3, maxStringLength: 80, maxArrayLength: 8, breakLength: Infinity });
    return text.slice(0, 1_800);
  } catch {
    return '(cannot be shown)';
  }
}
