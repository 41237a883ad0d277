import type { Fault } from '../http/fault.ts';

/** `{ description, type, status }`, as Flask-JSON gives it, which bert-as-service stands on. */
export function bertError({ status, code, message }: Fault): unknown {
  return { description: message, type: code, status };
}
