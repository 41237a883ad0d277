import { FARM_ERROR_CODES, nameSchema, type EncodeText, type FarmErrorCode } from '@embedfarm/contract';
import { z } from 'zod';

const MAX_MESSAGE_LENGTH = 200;
const MAX_TEXT_LENGTH = 60;
/** As JSON; what is longer was put there by hand. */
const MAX_STORED_LENGTH = 4_000;

/** How long a sample counts as recent. */
export const SAMPLE_TTL_MS = 3_600_000;

const failureSampleSchema = z.object({
  code: z.enum(Object.keys(FARM_ERROR_CODES) as [FarmErrorCode, ...FarmErrorCode[]]),
  model: nameSchema,
  /** At most 200 characters. */
  message: z.string().max(MAX_MESSAGE_LENGTH),
  /** At most 60 characters; empty where the text is not known. */
  text: z.string().max(MAX_TEXT_LENGTH),
  requestId: z.string().max(80),
  /** Redis time. */
  atMs: z.number().min(0),
});
/** The last text that failed for one reason, cut short. */
export type FailureSample = z.output<typeof failureSampleSchema>;

/** The sample's field in its hash: one for each code and model. */
export function sampleField({ code, model }: Pick<FailureSample, 'code' | 'model'>): string {
  return `${code} ${model}`;
}

/** Cuts message and text to what is kept of them. */
export function failureSample(
  failure: Omit<FailureSample, 'text'> & { readonly text: EncodeText | undefined },
): FailureSample {
  const { message, text = '' } = failure;
  return {
    ...failure,
    message: cutShort(message, MAX_MESSAGE_LENGTH),
    text: cutShort(lineOf(text), MAX_TEXT_LENGTH),
  };
}

/** What was stored; undefined for what was put there by hand and is none. */
export function parseFailureSample(stored: unknown): FailureSample | undefined {
  if (typeof stored !== 'string' || stored.length > MAX_STORED_LENGTH) return undefined;
  try {
    return failureSampleSchema.safeParse(JSON.parse(stored)).data;
  } catch {
    return undefined;
  }
}

/** At most so many UTF-16 units, the last of which is a mark that there was more. No surrogate pair is split. */
export function cutShort(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const kept = text.slice(0, maxLength - 1);
  return `${/[\uD800-\uDBFF]$/.test(kept) ? kept.slice(0, -1) : kept}…`;
}

/** A pair, or lists of tokens, in one line. Only as much of a long list is joined as is kept. */
function lineOf(text: EncodeText): string {
  return typeof text === 'string' ? text : linesOf(text.slice(0, MAX_TEXT_LENGTH + 1));
}

function linesOf(parts: readonly (string | number | readonly (string | number)[])[]): string {
  const lines = parts.map((part) =>
    typeof part === 'object' ? part.slice(0, MAX_TEXT_LENGTH + 1).join(' ') : String(part),
  );
  return lines.join(parts.some((part) => typeof part === 'object') ? ' | ' : ' ');
}
