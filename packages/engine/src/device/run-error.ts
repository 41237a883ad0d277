import { FarmError } from '@embedfarm/contract/farm-error';

// The runtime has no code for it: std::bad_alloc, and its own allocators' messages.
const MEMORY_FAULT = /bad_alloc|bad allocation|failed to allocate|out of memory|allocation failed/i;

/** What a failed run means: `out_of_memory` where the runtime says so, else `internal`. */
export function runError(name: string, thrown: unknown): FarmError {
  if (thrown instanceof FarmError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const code = MEMORY_FAULT.test(message) ? 'out_of_memory' : 'internal';
  return new FarmError(code, `${name}: ${message}`, { cause: thrown });
}
