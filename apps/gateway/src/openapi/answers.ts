import { FARM_ERROR_CODES, VECTOR_DTYPES, type FarmErrorCode } from '@embedfarm/contract';
import { REQUEST_STATES } from '@embedfarm/sdk';
import { z } from 'zod';

/** What the farm's own door answers with. For the document, and for the tests that hold answers against it. */

const codes = [...(Object.keys(FARM_ERROR_CODES) as FarmErrorCode[]), 'not_found'] as const;

export const errorAnswerSchema = z
  .strictObject({
    error: z.strictObject({ code: z.enum(codes), message: z.string(), retryAfterMs: z.int().optional() }),
  })
  .meta({ title: 'Error' });

const vectorSchema = z.array(z.number());
const receiptSchema = z.strictObject({
  /** Sequence length the device saw, special tokens included. */
  tokens: z.int().meta({ description: 'Sequence length the device saw, special tokens included.' }),
  truncated: z.boolean().meta({ description: 'Whether the text lost its end or start.' }),
});
const failureSchema = z.strictObject({ code: z.enum(codes), message: z.string() });

export const encodeAnswerSchema = z
  .strictObject({
    model: z.string(),
    dimensions: z.int(),
    dtype: z.enum(VECTOR_DTYPES),
    embeddings: z.array(z.union([vectorSchema, z.array(vectorSchema), z.null()])).meta({
      description: 'A vector a text; of a model that does not pool one a token; null for a text that failed.',
    }),
    receipts: z.array(receiptSchema),
    tokens: z.array(z.array(z.string())).optional(),
    timing: z.strictObject({
      queueMs: z.number(),
      tokenizeMs: z.number(),
      batchWaitMs: z.number(),
      deviceMs: z.number(),
      totalMs: z.number(),
    }),
    errors: z.array(z.strictObject({ index: z.int(), ...failureSchema.shape })).optional(),
  })
  .meta({ title: 'EncodeAnswer' });

export const requestAnswerSchema = z
  .strictObject({
    id: z.string(),
    state: z.enum(REQUEST_STATES),
    model: z.string(),
    label: z.string().optional(),
    fault: z.string().optional(),
    texts: z.int(),
    done: z.int(),
    failed: z.int(),
    tokens: z.int(),
    truncated: z.int(),
    etaMs: z.int().optional(),
    createdAtMs: z.number(),
    startedAtMs: z.number().optional(),
    endedAtMs: z.number().optional(),
    expiresAtMs: z.number().optional(),
    webhook: z
      .strictObject({
        state: z.enum(['pending', 'delivered', 'given_up']),
        attempts: z.int(),
        error: z.string().optional(),
      })
      .optional(),
  })
  .meta({ title: 'Request' });

export const resultLineSchema = z
  .union([
    z.strictObject({
      index: z.int(),
      embedding: z.union([vectorSchema, z.array(vectorSchema)]),
      ...receiptSchema.shape,
    }),
    z.strictObject({ index: z.int(), error: failureSchema }),
  ])
  .meta({ title: 'ResultLine' });

export const embeddingsAnswerSchema = z
  .strictObject({
    object: z.literal('list'),
    data: z.array(
      z.strictObject({
        object: z.literal('embedding'),
        index: z.int(),
        embedding: z
          .union([vectorSchema, z.string()])
          .meta({ description: 'Numbers, or base64 of float32.' }),
      }),
    ),
    model: z.string(),
    usage: z.strictObject({ prompt_tokens: z.int(), total_tokens: z.int() }),
  })
  .meta({ title: 'EmbeddingsAnswer' });

const modelSchema = z.strictObject({
  id: z.string(),
  object: z.literal('model'),
  created: z.int(),
  owned_by: z.string(),
  embedfarm: z.strictObject({
    fingerprint: z.string(),
    dimensions: z.int(),
    maxSequenceLength: z.int(),
    workers: z.int(),
  }),
});
export const modelAnswerSchema = modelSchema.meta({ title: 'Model' });
export const modelsAnswerSchema = z
  .strictObject({ object: z.literal('list'), data: z.array(modelSchema) })
  .meta({ title: 'Models' });

export const openaiErrorSchema = z
  .strictObject({
    error: z.strictObject({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string(),
    }),
  })
  .meta({ title: 'OpenAIError' });

export const vectorsAnswerSchema = z.array(vectorSchema).meta({ title: 'Vectors' });
export const tokenVectorsAnswerSchema = z.array(z.array(vectorSchema)).meta({ title: 'TokenVectors' });
export const tokensAnswerSchema = z
  .array(
    z.array(
      z.strictObject({
        id: z.null(),
        text: z.string(),
        special: z.boolean(),
        start: z.null(),
        stop: z.null(),
      }),
    ),
  )
  .meta({ title: 'Tokens' });
export const teiErrorSchema = z
  .strictObject({ error: z.string(), error_type: z.string() })
  .meta({ title: 'TEIError' });
export const bertAnswerSchema = z
  .strictObject({
    id: z.any(),
    result: z.array(z.union([vectorSchema, z.array(vectorSchema)])),
    results: z.array(z.union([vectorSchema, z.array(vectorSchema)])),
    status: z.literal(200),
  })
  .meta({ title: 'BertAnswer' });
