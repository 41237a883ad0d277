import { FarmError } from '@embedfarm/contract';
import { Inspector, type FarmStatus } from '@embedfarm/farm/inspect';
import { hidePassword, withDeadline, type ProducerOptions } from '@embedfarm/farm/producer';

const DEFAULT_REDIS_URL = 'redis://127.0.0.1:6379';
const STATUS_TIMEOUT_MS = 10_000;

/**
 * The farm at this moment, read without becoming one of its clients.
 *
 * @throws FarmError `redis_unavailable` after `timeoutMs` (default 10,000); `cancelled` on abort.
 */
export async function readFarmStatus(
  { redis = DEFAULT_REDIS_URL, prefix, timeoutMs = STATUS_TIMEOUT_MS }: ProducerOptions = {},
  { signal }: { signal?: AbortSignal } = {},
): Promise<FarmStatus> {
  const call = signal === undefined ? {} : { signal };
  const inspector = await Inspector.open(
    { redis, timeoutMs, ...(prefix === undefined ? {} : { prefix }) },
    call,
  );
  try {
    const silent = (): FarmError =>
      new FarmError('redis_unavailable', `Redis at ${hidePassword(redis)} does not answer`);
    return await withDeadline(inspector.status(), { signal, timeoutMs }, silent);
  } catch (thrown) {
    throw FarmError.from(thrown);
  } finally {
    await inspector.close();
  }
}
