import { FarmError, joinBlocks, type EncodeText, type VectorBlock } from '@embedfarm/contract';
import { entryShape } from '../cache/cache-entry.ts';
import { cacheHasher } from '../cache/cache-key.ts';
import { lookUp } from '../cache/look-up.ts';
import type { CallPart } from './call-part.ts';
import type { SharedTerms } from './coalesce.ts';
import type { EnqueuePorts } from './enqueue.ts';
import { MissedTexts, runsOf } from './missed-texts.ts';

/**
 * Gives a call the vectors that are kept already, and `send` the rest. With all of them there the call has ended, and
 * no job was made. The call's own deadline and signal end it while Redis does not answer.
 */
export function answerFromCache(
  call: CallPart,
  terms: SharedTerms,
  ports: EnqueuePorts,
  send: (missed: CallPart) => void,
): void {
  putKept(call, terms, ports)
    .then((missed) => {
      if (call.hasEnded) return;
      send(missed.length === call.texts.length ? call : new MissedTexts(call, missed));
    })
    .catch((thrown: unknown) => call.fail(FarmError.from(thrown)));
}

/** @returns the places of the texts that are not kept. */
async function putKept(call: CallPart, terms: SharedTerms, ports: EnqueuePorts): Promise<number[]> {
  const missed: number[] = [];
  // A chunk's worth at a time: what comes back is no more than a result, and other calls have their turn.
  for (let at = 0; at < call.texts.length && !call.hasEnded; at += terms.maxTexts) {
    const kept = await findKept(call.texts.slice(at, at + terms.maxTexts), terms, ports);
    const places = [...kept.keys()].filter((place) => kept[place] !== undefined);
    if (places.length > 0) ports.presence.found(places.length);
    for (const { from, to } of runsOf(places)) {
      const first = places[from] ?? 0;
      const block = joinBlocks(kept.slice(first, first + to - from).flatMap((one) => one ?? []));
      call.put(at + first, { status: 'done', block }, 0, to - from);
    }
    for (const [place, one] of kept.entries()) if (one === undefined) missed.push(at + place);
  }
  return missed;
}

/** The block of each text that is kept. A cache that cannot be asked has nothing: the chunk's own way tells why. */
export async function findKept(
  texts: readonly EncodeText[],
  { registration, options }: SharedTerms,
  { redis, keys }: Pick<EnqueuePorts, 'redis' | 'keys'>,
): Promise<(VectorBlock | undefined)[]> {
  const hashes = texts.map(cacheHasher(registration, options));
  return await lookUp(redis, keys, hashes, entryShape(registration, options)).catch(() =>
    texts.map(() => undefined),
  );
}
