import { z } from 'zod';

/** Most texts of one call; TEI's own default is 32. */
export const MAX_TEI_TEXTS = 2_048;

const MAX_PROMPT_NAME = 200;

/** A text, texts, or ids of tokens in their place. What each holds is checked where it is read. */
const inputsSchema = z.any().meta({
  description: "A text, or up to 2,048; in place of a text the ids of its tokens in the model's vocabulary.",
  anyOf: [
    { type: 'string' },
    {
      type: 'array',
      items: {
        anyOf: [{ type: 'string' }, { type: 'integer' }, { type: 'array', items: { type: 'integer' } }],
      },
    },
  ],
});

/** As there, what is not known is passed over, and what is null is as if it were not there. */
export const embedAllRequestSchema = z
  .object({
    inputs: inputsSchema,
    /** Whether a text that is too long is cut; true where nothing is said. False makes it an error. */
    truncate: z.boolean().nullish(),
    /** Which end of it goes. */
    truncation_direction: z.enum(['Left', 'Right', 'left', 'right']).nullish(),
    prompt_name: z.string().min(1).max(MAX_PROMPT_NAME).nullish(),
  })
  .meta({ title: 'EmbedAllRequest' });

export const embedRequestSchema = z
  .object({
    ...embedAllRequestSchema.shape,
    normalize: z.boolean().default(true),
    dimensions: z.int().min(1).max(65_536).nullish(),
  })
  .meta({ title: 'EmbedRequest' });

export const tokenizeRequestSchema = z
  .object({
    inputs: inputsSchema,
    add_special_tokens: z.boolean().default(true),
    prompt_name: z.string().min(1).max(MAX_PROMPT_NAME).nullish(),
  })
  .meta({ title: 'TokenizeRequest' });
