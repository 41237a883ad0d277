import { z } from 'zod';

export const streamOptionsSchema = z.strictObject({
  /**
   * Makes the stream resumable: chunks that are stored under it are not encoded again. It belongs to the texts, in
   * their order; give the same texts from the beginning each time.
   */
  id: z.string().min(1).max(200).optional(),

  /** Rows taken before, counted from the first text: the stream goes on with row `position`. */
  position: z.int().min(0).default(0),

  /** `texts`: rows in the order of the texts. `finished`: a chunk's rows as soon as it is done. */
  order: z.enum(['texts', 'finished']).default('texts'),

  /**
   * Most chunks that are on their way or wait to be taken. Memory grows with it (256 texts and their vectors each), and
   * below about twice the chunks that the workers hold at a time so does the time.
   */
  window: z.int().min(1).max(256).default(64),
});
export type StreamOptions = z.input<typeof streamOptionsSchema>;
