import { FarmError, messageOf } from './farm-error.ts';

/**
 * Looks at what a caller gave. A getter or a proxy may throw at any look, and that is the caller's fault.
 *
 * @throws FarmError `invalid_argument` with the cause in place of what the look throws.
 */
export function readGiven<Value>(what: string, look: () => Value): Value {
  try {
    return look();
  } catch (thrown) {
    const known = FarmError.from(thrown);
    if (known === thrown) throw known;
    throw new FarmError('invalid_argument', `${what} cannot be read: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
}
