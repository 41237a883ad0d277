import type { Fault } from '../http/fault.ts';

/**
 * `{ error, error_type }`.
 *
 * Source: https://github.com/huggingface/text-embeddings-inference (1.9), router/src/lib.rs, ErrorType.
 */
export function teiError({ status, code, message }: Fault): unknown {
  return { error: message, error_type: typeOf(status, code) };
}

function typeOf(status: number, code: Fault['code']): string {
  if (code === 'overloaded') return 'Overloaded';
  if (code === 'unauthenticated') return 'Unauthorized';
  if (code === 'redis_unavailable' || code === 'no_worker') return 'Unhealthy';
  return status < 500 ? 'Validation' : 'Backend';
}

/** What is wrong with a call is 422 there. */
export function teiStatus({ status, code }: Fault): number {
  return status === 400 && (code === 'invalid_argument' || code === 'sequence_too_long') ? 422 : status;
}
