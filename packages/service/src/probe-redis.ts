import { Redis } from 'ioredis';

/** What an address answers. */
export interface RedisProbe {
  /**
   * - `ready`: answers PING.
   * - `refused`: a Redis that asks for a password, still loads its data, or says no for another reason.
   * - `absent`: nothing that speaks Redis.
   */
  readonly state: 'ready' | 'refused' | 'absent';
  /** The server's process id, where it tells. */
  readonly processId?: number | undefined;
  /** `noeviction`, `allkeys-lru`, …, where it tells. */
  readonly evictionPolicy?: string | undefined;
  /** Why it is not ready. */
  readonly reason?: string;
}

/** One look at an address, in `timeoutMs` at most. Never throws. */
export async function probeRedis(url: string, timeoutMs = 1_000): Promise<RedisProbe> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    enableReadyCheck: false,
    disableClientInfo: true,
  });
  let lastError: Error | undefined;
  redis.on('error', (error: Error) => (lastError = error));
  // Something silent on the port answers neither the handshake nor a disconnect.
  const deadline = rejectAfter(timeoutMs);
  try {
    return await Promise.race([ask(redis), deadline.rejection]);
  } catch (thrown) {
    const error = lastError ?? (thrown as Error);
    // Redis begins a refusal with a word in capitals: NOAUTH, WRONGPASS, LOADING, DENIED, …
    const spoken = [error.message, (thrown as Error).message].find((message) =>
      /^-?[A-Z]{5,} /.test(message),
    );
    if (spoken !== undefined) return { state: 'refused', reason: spoken };
    return { state: 'absent', reason: error.message };
  } finally {
    deadline.clear();
    redis.disconnect();
  }
}

async function ask(redis: Redis): Promise<RedisProbe> {
  await redis.connect();
  await redis.ping();
  const server = await redis.info('server').catch(() => '');
  const memory = await redis.info('memory').catch(() => '');
  return {
    state: 'ready',
    processId: Number(infoField(server, 'process_id')) || undefined,
    evictionPolicy: infoField(memory, 'maxmemory_policy'),
  };
}

function rejectAfter(timeoutMs: number): { rejection: Promise<never>; clear: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const rejection = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
  });
  return { rejection, clear: () => clearTimeout(timer) };
}

function infoField(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
}
