import type { VectorDtype } from '@embedfarm/contract';
import {
  TextsFailedError,
  type AnyEmbeddings,
  type EmbeddingsOf,
  type EncodeCallOptions,
  type EncodeText,
} from '@embedfarm/sdk';
import type { Response } from 'express';
import { callOf, type Call } from './call.ts';
import type { DoorPorts } from './door-ports.ts';

/**
 * The vectors of a request's texts: charged to its key, given up when its caller is gone, counted.
 *
 * @throws FarmError as the SDK's `encode`.
 */
export async function encodeFor<Dtype extends VectorDtype = 'float32'>(
  { link, model, room, charge }: DoorPorts,
  response: Response,
  texts: readonly EncodeText[],
  options: EncodeCallOptions<Dtype>,
): Promise<EmbeddingsOf<Dtype>> {
  const call = callOf(response);
  const asked = options.model ?? model;
  room.hold(response, asked, texts.length);
  await charge(call, texts.length);
  const farm = await link.farm(call.signal);
  try {
    const embeddings = await farm.encode(texts, {
      ...options,
      model: asked,
      tenant: tenantOf(call, options.tenant),
      signal: call.signal,
    });
    count(call, embeddings);
    room.learn(asked, embeddings);
    return embeddings;
  } catch (thrown) {
    if (thrown instanceof TextsFailedError) count(call, thrown.embeddings);
    throw thrown;
  }
}

/** Whoever has a key is who the key says; others may say so themselves. */
export function tenantOf({ key }: Call, asked: string | undefined): string | undefined {
  return key === undefined ? asked : key.name;
}

function count(call: Call, { rows, failures, receipts }: AnyEmbeddings): void {
  call.texts += rows - failures.length;
  for (const { tokens } of receipts) call.tokens += tokens;
}
