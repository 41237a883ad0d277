import { findCommand } from '@embedfarm/service/find-command';
import { RedisServers } from './redis-servers.ts';

/** The program of a Valkey: what EMBEDFARM_TEST_VALKEY names, else `valkey-server` of PATH; undefined where there is none. */
export async function findValkey(): Promise<string | undefined> {
  return process.env['EMBEDFARM_TEST_VALKEY'] || (await findCommand('valkey-server'));
}

/** A plain server. */
export async function openValkeyRedis(command: string): Promise<{ url: string; close(): Promise<void> }> {
  const servers = await RedisServers.open();
  try {
    const { url } = await servers.start({ command });
    return { url, close: () => servers.close() };
  } catch (thrown) {
    await servers.close();
    throw thrown;
  }
}
