import { failedBlock, joinBlocks, sliceBlock, type EncodeJob, type VectorBlock } from '@embedfarm/contract';

/** The block with the failures of texts that their producer had refused, in place of what stood for them. */
export function withRefused(block: VectorBlock, refused: EncodeJob['refused'] = []): VectorBlock {
  if (refused.length === 0) return block;
  const parts: VectorBlock[] = [];
  let from = 0;
  for (const { text, message } of refused.toSorted((a, b) => a.text - b.text)) {
    if (text < from || text >= block.tokens.length) continue;
    if (text > from) parts.push(sliceBlock(block, from, text));
    parts.push(failedBlock(1, 'invalid_argument', message));
    from = text + 1;
  }
  if (from < block.tokens.length) parts.push(sliceBlock(block, from, block.tokens.length));
  return joinBlocks(parts);
}
