import { FARM_ERROR_CODES, FarmError, type FarmErrorCode } from '@embedfarm/contract';
import { TextsFailedError } from '@embedfarm/sdk';

/** What went wrong with a request, before a door puts it into its own words. */
export interface Fault {
  readonly status: number;
  readonly code: FarmErrorCode | 'not_found';
  readonly message: string;
  readonly retryAfterMs?: number | undefined;
}

/** What is thrown while a request is served, as its caller may know it. */
export function toFault(thrown: unknown): Fault {
  const broken = brokenRequest(thrown);
  if (broken) return broken;
  const { code, detail, retryAfterMs } = onlyFault(FarmError.from(thrown));
  // What nobody foresaw may tell of what is inside.
  const message = code === 'internal' && !(thrown instanceof FarmError) ? 'the gateway failed' : detail;
  return { status: FARM_ERROR_CODES[code].httpStatus, code, message, retryAfterMs };
}

/** Texts that all failed for one reason failed for that reason. */
function onlyFault(error: FarmError): FarmError {
  if (!(error instanceof TextsFailedError)) return error;
  const [first, ...others] = error.failures;
  if (!first || others.some(({ code }) => code !== first.code)) return error;
  return new FarmError(first.code, `texts[${first.index}]: ${first.message}`);
}

/** What the reading of a body throws has a status and a type. */
function brokenRequest(thrown: unknown): Fault | undefined {
  if (!(thrown instanceof Error) || thrown instanceof FarmError || !('status' in thrown)) return undefined;
  const status = Number(thrown.status);
  if (!(status >= 400 && status < 500)) return undefined;
  const type = 'type' in thrown ? String(thrown.type) : '';
  const limit = 'limit' in thrown ? Number(thrown.limit) : undefined;
  const message =
    type === 'entity.too.large'
      ? `the body is too large, limit is ${limit} bytes`
      : type === 'entity.parse.failed'
        ? 'the body is not JSON'
        : 'the request is malformed';
  return { status, code: 'invalid_argument', message };
}
