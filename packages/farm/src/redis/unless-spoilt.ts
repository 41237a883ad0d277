/**
 * What Redis answers; `instead` where it refuses to, as something else was put under the key by hand: it is up all the same.
 *
 * @throws what is wrong with the connection.
 */
export async function unlessSpoilt<Value>(asked: Promise<Value>, instead: Value): Promise<Value> {
  try {
    return await asked;
  } catch (fault) {
    if (fault instanceof Error && /\bWRONGTYPE\b/.test(fault.message)) return instead;
    throw fault;
  }
}
