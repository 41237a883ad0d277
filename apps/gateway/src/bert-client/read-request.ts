/** A message of a client that is well formed as far as its frames go. */
export interface DoorRequest {
  readonly kind: 'encode' | 'config' | 'status' | 'terminate';
  /** The identity, one character a byte: a key for maps. */
  readonly client: string;
  /** The same, as the first frame of the result. */
  readonly identity: Buffer;
  /** Decimal digits, as they came. */
  readonly requestId: string;
  /** As the client says; what counts is the list in the body. */
  readonly rows: number;
  readonly body: Buffer;
}

const FRAMES = 4;
const MAX_IDENTITY_BYTES = 255;
/** Up to 2^53, beyond which a number is not told from its neighbours. */
const DIGITS = /^\d{1,15}$/;
const COMMANDS = new Map<string, DoorRequest['kind']>([
  ['SHOW_CONFIG', 'config'],
  ['SHOW_STATUS', 'status'],
  ['TERMINATION', 'terminate'],
]);
const MAX_COMMAND_BYTES = 11;

/**
 * The frames identity, body, request id, number of rows.
 *
 * @returns what is wrong with them, where there is no telling whom to answer, or about what.
 */
export function readRequest(frames: readonly Buffer[]): DoorRequest | string {
  const [identity, body, id, rows] = frames;
  if (!identity || !body || !id || !rows || frames.length !== FRAMES) {
    return `${frames.length} frames, a request has ${FRAMES}`;
  }
  if (identity.length === 0 || identity.length > MAX_IDENTITY_BYTES) {
    return `an identity of ${identity.length} bytes, it has 1 to ${MAX_IDENTITY_BYTES}`;
  }
  const requestId = digitsOf(id);
  const count = digitsOf(rows);
  if (requestId === undefined) return 'frame 3 must be the request id in decimal digits';
  if (count === undefined) return 'frame 4 must be the number of rows in decimal digits';
  const kind = body.length <= MAX_COMMAND_BYTES ? COMMANDS.get(body.toString('latin1')) : undefined;
  return {
    kind: kind ?? 'encode',
    client: identity.toString('latin1'),
    identity,
    requestId,
    rows: Number(count),
    body,
  };
}

function digitsOf(frame: Buffer): string | undefined {
  if (frame.length > 15) return undefined;
  const text = frame.toString('latin1');
  return DIGITS.test(text) ? text : undefined;
}
