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
    else await drained(response);
  }
  if (response.headersSent) {
    response.end(part);
    return;
  }
  response.set('Content-Length', String(Buffer.byteLength(part)));
  response.end(part);
}

/** Until there is room again, or nobody to take it. */
async function drained(response: Response): Promise<void> {
  await new Promise<void>((resolve) => {
    const go = (): void => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.on('drain', go).on('close', go);
  });
}
