import { chunkLoad } from '../queue/chunk-load.ts';
import type { CallPart } from './call-part.ts';
import { ChunkRoom } from './chunk-room.ts';
import type { ClientLease } from './client-lease.ts';
import type { Coalescer, SharedTerms } from './coalesce.ts';

/**
 * Lets a call of one chunk in: at once where the client's lease has room, else when the farm has.
 * Its room, or its place in the line, is given back when the call ends.
 */
export function admitCall(
  call: CallPart,
  terms: SharedTerms,
  lease: ClientLease,
  coalescer: Coalescer,
): void {
  const room = new ChunkRoom(lease, chunkLoad(call.texts, terms.registration, terms.options));
  call.explainDeadline(() => room.refusal);
  void call.ended.then(() => room.leave());
  room.take(() => call.whenOverloaded, {
    admit: () => coalescer.add(call, terms),
    refuse: (error) => call.fail(error),
  });
}
