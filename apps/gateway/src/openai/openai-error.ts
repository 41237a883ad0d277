import type { Fault } from '../http/fault.ts';

/** OpenAI's words for what the farm has codes for. */
const CODES: Readonly<Record<string, string>> = {
  unauthenticated: 'invalid_api_key',
  overloaded: 'rate_limit_exceeded',
  sequence_too_long: 'context_length_exceeded',
};

/** `{ error: { message, type, param, code } }`. */
export function openaiError({ status, code, message }: Fault): unknown {
  return {
    error: {
      message,
      type: status === 429 ? 'rate_limit_error' : status < 500 ? 'invalid_request_error' : 'server_error',
      param: paramOf(code, message),
      code: CODES[code] ?? code,
    },
  };
}

/** The field that a message names. */
function paramOf(code: string, message: string): string | null {
  if (code === 'model_not_found') return 'model';
  if (code !== 'invalid_argument' && code !== 'sequence_too_long') return null;
  const [, named] =
    /→ at ([\w.[\]]+)/.exec(message) ??
    /^(input(?:\[\d+\])*|dimensions|model|file|purpose|input_file_id)(?=[ :])/.exec(message) ??
    [];
  return named ?? null;
}
