import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Response } from 'express';

/** Pieces are sent when they are so long together; what is shorter in all goes with its length. */
const PART_LENGTH = 65_536;

/**
 * An answer made in pieces. No faster than its caller reads, and others get a turn after every part: the JSON of many
 * vectors takes longer to make than they took to arrive.
 */
export async function sendPieces(response: Response, pieces: Iterable<string>): Promise<void> {
  let part = '';
  for (const piece of pieces) {
    part += piece;
    if (part.length < PART_LENGTH) continue;
    const isTaken = response.write(part);
    part = '';
    // Nobody reads what is left.
    if (response.destroyed) return;
    if (isTaken) await nextTurn();
    else await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
  if (response.headersSent) {
    response.end(part);
    return;
  }
  response.set('Content-Length', String(Buffer.byteLength(part)));
  response.end(part);
}
