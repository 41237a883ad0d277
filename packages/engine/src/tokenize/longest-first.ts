/**
 * Tokens that two segments keep where they do not fit together: the longer one loses first, until both are as long;
 * then both keep half. The odd token stays with the one that was longer, with the second where none was.
 *
 * Source: https://github.com/huggingface/tokenizers, utils/truncation.rs, LongestFirst. Google's BERT gives the odd
 * token to the first: https://github.com/google-research/bert, extract_features.py, _truncate_seq_pair.
 */
export function longestFirst(first: number, second: number, room: number): [number, number] {
  if (first + second <= room) return [first, second];
  const [low, high] = [Math.floor(room / 2), Math.ceil(room / 2)];
  if (Math.min(first, second) <= low) {
    return first < second ? [first, room - first] : [room - second, second];
  }
  return first > second ? [high, low] : [low, high];
}
