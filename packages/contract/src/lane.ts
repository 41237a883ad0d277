import { z } from 'zod';

/** The two queues of a model, and the two ends of the waiting line. */
export const LANES = ['interactive', 'bulk'] as const;
export const laneSchema = z.enum(LANES);
export type Lane = z.output<typeof laneSchema>;
