import { encodeOptionsSchema, nameSchema } from '@embedfarm/contract';
import { z } from 'zod';

/** What `POST /v1/embeddings` takes. A field that is not here is refused by name, never ignored. */
export const embeddingsRequestSchema = z
  .strictObject({
    /** A text, a list of up to 2,048, the ids of a text's tokens, or a list of such lists. */
    input: z.unknown().meta({
      description:
        "A text, up to 2,048 of them, the ids of a text's tokens in the model's vocabulary, or up to 2,048 such lists.",
      anyOf: [
        { type: 'string' },
        { type: 'array', items: { type: 'string' } },
        { type: 'array', items: { type: 'integer' } },
        { type: 'array', items: { type: 'array', items: { type: 'integer' } } },
      ],
    }),
    /** The model's name in the farm. */
    model: nameSchema,
    encoding_format: z.enum(['float', 'base64']).default('float'),
    dimensions: encodeOptionsSchema.shape.dimensions,
    /** Taken, and not looked at: nothing here depends on it. */
    user: z.string().max(1_000).optional(),
  })
  .meta({ title: 'EmbeddingsRequest' });
