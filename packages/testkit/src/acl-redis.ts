import { RedisServers, TEST_PASSWORD } from './redis-servers.ts';

/** A Redis for the user `farm`, and for `stranger`, who has the same password and other keys. */
export interface AclRedis {
  /** With the user's name and password. */
  readonly url: string;
  readonly host: string;
  close(): Promise<void>;
}

/** `rights` are those of the user `farm`, as ACL SETUSER takes them. */
export async function openAclRedis(rights: readonly string[]): Promise<AclRedis> {
  const servers = await RedisServers.open();
  try {
    const server = await servers.start({});
    const admin = servers.admin(server);
    await admin.acl('SETUSER', 'farm', 'reset', 'on', `>${TEST_PASSWORD}`, ...rights);
    await admin.acl('SETUSER', 'stranger', 'reset', 'on', `>${TEST_PASSWORD}`, '~stranger:*', '+@all');
    await admin.acl('SETUSER', 'default', 'off');
    const host = `127.0.0.1:${server.port}`;
    const url = `redis://farm:${encodeURIComponent(TEST_PASSWORD)}@${host}`;
    return { url, host, close: () => servers.close() };
  } catch (thrown) {
    await servers.close();
    throw thrown;
  }
}
