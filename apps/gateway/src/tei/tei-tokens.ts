/** What the farm's families put around texts; written out in a text they become these tokens too. */
const SPECIAL_TOKENS = new Set(['[CLS]', '[SEP]', '[PAD]', '[MASK]', '<s>', '</s>', '<pad>', '<mask>']);

/**
 * Tokens in TEI's shape. Workers tell tokens as the vocabulary writes them, neither their ids nor their places: those
 * are null.
 */
export function teiTokens(tokens: readonly string[], withSpecial: boolean): unknown[] {
  const told = tokens.map((text) => ({
    id: null,
    text,
    special: SPECIAL_TOKENS.has(text),
    start: null,
    stop: null,
  }));
  return withSpecial ? told : told.filter(({ special }) => !special);
}
