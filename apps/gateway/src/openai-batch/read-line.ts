import { FarmError, parseOptions, type EncodeText } from '@embedfarm/contract';
import { z } from 'zod';
import { readTexts } from '../http/read-texts.ts';
import { embeddingsRequestSchema } from '../openai/embeddings-request.ts';
import { MAX_INPUTS } from '../openai/max-inputs.ts';
import { MAX_CUSTOM_ID_LENGTH } from './batch-limits.ts';
import type { InputLine } from './input-lines.ts';

export const BATCH_ENDPOINT = '/v1/embeddings';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A line as OpenAI has it; what its `body` holds is checked on its own. */
const lineSchema = z.strictObject({
  custom_id: z.string().min(1).max(MAX_CUSTOM_ID_LENGTH),
  method: z.literal('POST'),
  url: z.literal(BATCH_ENDPOINT),
  body: z.record(z.string(), z.unknown()),
});
export type BatchLine = z.output<typeof lineSchema>;

/** What a line's body asks for. */
export interface LineCall {
  readonly model: string;
  readonly dimensions: number | undefined;
  readonly texts: readonly EncodeText[];
  readonly tokens: boolean;
  readonly format: 'float' | 'base64';
}

/** @throws FarmError `invalid_argument` for a line that is none: its batch cannot be run. */
export function readLine({ bytes }: InputLine): BatchLine {
  let json: unknown;
  try {
    json = JSON.parse(utf8.decode(bytes));
  } catch (cause) {
    throw new FarmError('invalid_argument', 'the line is not JSON in UTF-8', { cause });
  }
  return parseOptions('line', lineSchema, json);
}

/** @throws FarmError `invalid_argument` for a body that `POST /v1/embeddings` would refuse: the line fails alone. */
export function readCall({ body }: Pick<BatchLine, 'body'>): LineCall {
  const { input, model, dimensions, encoding_format } = parseOptions(
    'embeddings request',
    embeddingsRequestSchema,
    body,
  );
  return { model, dimensions, format: encoding_format, ...readTexts(input, 'input', MAX_INPUTS) };
}
