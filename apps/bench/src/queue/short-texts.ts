import { FarmError } from '@embedfarm/contract';
import { textId } from './timed-device.ts';

/** Text `index` of the bench: 27 bytes or a few more. */
export function shortText(index: number): string {
  return `text ${index} of the queue bench`;
}

export function* shortTexts(count: number): Generator<string, void, undefined> {
  for (let index = 0; index < count; index += 1) yield shortText(index);
}

/** @throws FarmError `internal` for a vector of another text. */
export function checkVector(index: number, first: number | undefined): void {
  if (first === textId(shortText(index))) return;
  throw new FarmError('internal', `text ${index} has another text's vector`);
}
