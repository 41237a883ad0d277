import { FarmError, parseFarmErrorCode } from './farm-error.ts';
import type { TextFailure, VectorBlock } from './vector-block.ts';

/** What of a block stands in JSON behind its vectors. */
export type BlockTail = Pick<VectorBlock, 'failures' | 'tokenLists'>;

/**
 * UTF-8 JSON: nothing, a list of failures, or, where token lists were asked for, `{ failures, tokens }`. Readers of
 * before there were these never ask for them.
 */
export function encodeTail({ failures, tokenLists }: BlockTail): Uint8Array {
  if (tokenLists !== undefined) return Buffer.from(JSON.stringify({ failures, tokens: tokenLists }));
  return failures.length === 0 ? new Uint8Array(0) : Buffer.from(JSON.stringify(failures));
}

/** @throws FarmError `internal` for bytes that are no tail of a block of so many texts. */
export function decodeTail(bytes: Uint8Array, texts: number): BlockTail {
  if (bytes.byteLength === 0) return { failures: [] };
  const tail = parseJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  if (Array.isArray(tail)) return { failures: decodeFailures(tail, texts) };
  const { failures, tokens } = (tail ?? {}) as Record<string, unknown>;
  return { failures: decodeFailures(failures, texts), tokenLists: decodeTokenLists(tokens, texts) };
}

function decodeFailures(failures: unknown, texts: number): TextFailure[] {
  check(Array.isArray(failures), 'failures are not a list');
  return (failures as (Record<string, unknown> | null)[]).map((failure) => {
    const indices = failure?.['texts'];
    check(Array.isArray(indices), 'a failure names no texts');
    for (const index of indices as unknown[]) {
      check(
        Number.isInteger(index) && (index as number) >= 0 && (index as number) < texts,
        `a failure of text ${String(index)} of ${texts}`,
      );
    }
    return {
      code: parseFarmErrorCode(failure?.['code']),
      message: String(failure?.['message']),
      texts: indices as number[],
    };
  });
}

function decodeTokenLists(lists: unknown, texts: number): string[][] {
  const areTokens =
    Array.isArray(lists) &&
    lists.length === texts &&
    lists.every((list) => Array.isArray(list) && list.every((token) => typeof token === 'string'));
  check(areTokens, `tokens are not ${texts} lists of strings`);
  return lists as string[][];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FarmError('internal', 'not a vector block: its tail is not JSON', { cause });
  }
}

function check(holds: boolean, fault: string): void {
  if (!holds) throw new FarmError('internal', `not a vector block: ${fault}`);
}
