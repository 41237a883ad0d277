import type { FarmError } from '@embedfarm/contract';
import type { DoorRequest } from './read-request.ts';

type Addressee = Pick<DoorRequest, 'identity' | 'requestId'>;

/** Numbers of a result, and what they are. */
export interface ResultArray {
  /** shape `[texts, dimensions]`, or `[texts, tokens, dimensions]` of a model that does not pool. */
  readonly shape: readonly number[];
  /** float32, C order, little-endian. */
  readonly bytes: Uint8Array;
  readonly tokens: readonly (readonly string[])[] | undefined;
}

const MAX_MESSAGE_LENGTH = 1_000;

/** Identity, header, numbers, request id. */
export function resultFrames({ identity, requestId }: Addressee, array: ResultArray): Buffer[] {
  const header = { dtype: 'float32', shape: array.shape, tokens: array.tokens ?? '' };
  const { buffer, byteOffset, byteLength } = array.bytes;
  return [
    identity,
    Buffer.from(JSON.stringify(header)),
    Buffer.from(buffer, byteOffset, byteLength),
    Buffer.from(requestId),
  ];
}

/**
 * A result that no client can read, with the reason where numpy names it: BertClient raises `TypeError: data type
 * 'embedfarm: …' not understood`, and goes on. Other clients find it in `error`.
 */
export function failureFrames({ identity, requestId }: Addressee, { code, detail }: FarmError): Buffer[] {
  const message = detail.slice(0, MAX_MESSAGE_LENGTH).toWellFormed();
  // A comma would make numpy look for several types, and a quote would end the text.
  const dtype = `embedfarm: ${code}: ${message}`.replaceAll(',', ';').replaceAll("'", '"');
  const header = { dtype, shape: [0], tokens: '', error: { code, message } };
  return [identity, Buffer.from(JSON.stringify(header)), Buffer.alloc(0), Buffer.from(requestId)];
}

/** Answer to SHOW_CONFIG and SHOW_STATUS: identity, JSON object, request id. */
export function answerFrames({ identity, requestId }: Addressee, answer: object): Buffer[] {
  return [identity, Buffer.from(JSON.stringify(answer)), Buffer.from(requestId)];
}

export function bytesOf(frames: readonly Buffer[]): number {
  return frames.reduce((total, frame) => total + frame.length, 0);
}
