import type { EncodedChunk } from '../request/request-chunks.ts';
import type { CallSpan } from './call-span.ts';
import { interruptible } from './interruptible.ts';

/** A span of the life of an iteration, from its first `next` to its end, whichever it is. */
export function traceIteration(
  begin: () => Promise<CallSpan>,
  chunks: AsyncIterableIterator<EncodedChunk, void, undefined>,
): AsyncIterableIterator<EncodedChunk, void, undefined> {
  return interruptible(told(begin, chunks), () => {
    // Who ends it hears from the generator what came of that.
    chunks.return?.().catch(() => undefined);
  });
}

async function* told(
  begin: () => Promise<CallSpan>,
  chunks: AsyncIterableIterator<EncodedChunk, void, undefined>,
): AsyncGenerator<EncodedChunk, void, undefined> {
  const span = await begin();
  let texts = 0;
  let fault: unknown;
  try {
    for await (const chunk of chunks) {
      if (texts === 0) span.tell({ 'embedfarm.model': chunk.model });
      texts += chunk.block.tokens.length;
      yield chunk;
    }
  } catch (thrown) {
    fault = thrown;
    throw thrown;
  } finally {
    span.tell({ 'embedfarm.texts': texts });
    span.end(fault);
  }
}
