import { FarmError, parseOptions } from '@embedfarm/contract';
import { z } from 'zod';

const lineSchema = z.object({ text: z.string(), embedding: z.array(z.number()).min(1) });
export type ReferenceVector = z.output<typeof lineSchema>;

/**
 * Lines of `{"text": …, "embedding": […]}`.
 *
 * @throws FarmError `invalid_argument` naming the line.
 */
export function parseReferenceVectors(jsonl: string): ReferenceVector[] {
  const lines = jsonl.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new FarmError('invalid_argument', 'the reference holds no line');
  return lines.map((line, index) => parseOptions(`reference line ${index + 1}`, lineSchema, parseJson(line)));
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // The schema refuses it, and names the line.
    return undefined;
  }
}
