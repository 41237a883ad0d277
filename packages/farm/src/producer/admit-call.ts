import { chunkLoad } from '../queue/chunk-load.ts';
import type { ClientLease, RoomSeeker } from './client-lease.ts';
import type { Coalescer, SharedTerms } from './coalesce.ts';
import type { CallPart } from './call-part.ts';

/**
 * Lets a call of one chunk in: at once where the client's lease has room, else when the farm has.
 * Its room is given back when the call ends.
 */
export function admitCall(
  call: CallPart,
  terms: SharedTerms,
  lease: ClientLease,
  coalescer: Coalescer,
): void {
  const load = chunkLoad(call.texts, terms.registration, terms.options);
  const admit = (): void => {
    void call.ended.then(() => lease.give(load));
    coalescer.add(call, terms);
  };
  if (lease.tryTake(load)) return admit();
  const seeker: RoomSeeker = {
    load,
    whenOverloaded: () => call.whenOverloaded,
    admit,
    refuse: (error) => call.fail(error),
  };
  call.explainDeadline(() => seeker.refusal);
  call.onDetach(() => lease.leave(seeker));
  lease.seek(seeker);
}
