import { encodeRequestSchema, webhookUrlSchema, type EncodeText } from '@embedfarm/contract';
import { z } from 'zod';

/** Most texts of one `POST /encode`: its answer is held as a whole. More are for `POST /requests`. */
const MAX_ENCODE_TEXTS = 8_192;
/** Most texts of one `POST /requests`; the body's limit is another. */
const MAX_REQUEST_TEXTS = 1_000_000;

/** What each text holds is checked by the farm, once. */
function textsOf(maxTexts: number): z.ZodType<readonly EncodeText[]> {
  return z
    .array(z.any())
    .min(1)
    .max(maxTexts)
    .meta({
      description:
        'Strings and pairs of strings; with `tokens` lists of tokens or of their ids, and pairs of such lists.',
      items: {
        anyOf: [
          { type: 'string' },
          { type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'integer' }, { type: 'array' }] } },
        ],
      },
    });
}

/** What `POST /encode` takes: the texts, and the options of the SDK's `encode`. */
export const encodeBodySchema = z
  .strictObject({
    texts: textsOf(MAX_ENCODE_TEXTS),
    ...encodeRequestSchema.shape,
    /** Deadline of the call in ms; default: 60,000 without progress. */
    timeoutMs: z.int().min(1).max(3_600_000).optional(),
  })
  .meta({ title: 'EncodeBody' });

/** What `POST /requests` takes: the texts, and the options of the SDK's `submit`. */
export const submitBodySchema = z
  .strictObject({
    texts: textsOf(MAX_REQUEST_TEXTS),
    ...encodeRequestSchema.shape,
    /** A name for people, kept with the request. */
    label: z.string().min(1).max(200).optional(),
    /** URL that the end is posted to: see docs/webhooks.md. */
    webhook: webhookUrlSchema.optional(),
    /** How long the results are kept after the end, in ms; default: 24 hours. */
    resultTtlMs: z
      .int()
      .min(1_000)
      .max(30 * 24 * 3_600_000)
      .optional(),
  })
  .meta({ title: 'SubmitBody' });
