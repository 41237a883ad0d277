import { eventually } from './eventually.ts';
import { RedisServers, TEST_PASSWORD } from './redis-servers.ts';

/** How long a master may be silent until its sentinel takes another: the least that is no accident on a busy host. */
const DOWN_AFTER_MS = 1_000;

/** A master, a replica, and a sentinel that watches over them; all ask for a password. */
export interface SentinelRedis {
  readonly url: string;
  /** Host and port of the sentinel. */
  readonly host: string;
  /** Kills the master. The sentinel makes the replica its successor. */
  killMaster(): Promise<void>;
  /** As a loss of power in all of it. */
  killAll(): Promise<void>;
  /** Cuts the replica off and stops it: of what is written from now on it never hears. */
  pauseReplica(): Promise<void>;
  resumeReplica(): void;
  close(): Promise<void>;
}

/** With `tls`, all three speak it, and ask clients for no certificate. */
export async function openSentinelRedis({ tls: wantsTls = false } = {}): Promise<SentinelRedis> {
  const servers = await RedisServers.open();
  try {
    const tls = wantsTls ? await servers.tlsSettings() : undefined;
    const settings = async (): Promise<Record<string, string>> => ({
      ...(tls && { ...(await tls.settings()), 'tls-replication': 'yes', 'tls-auth-clients': 'no' }),
    });
    const masterSettings = await settings();
    const master = await servers.start({ settings: { ...masterSettings, 'repl-diskless-sync-delay': '0' } });
    const masterPort = masterSettings['tls-port'] ?? String(master.port);
    const replicaSettings = { ...(await settings()), replicaof: `127.0.0.1 ${masterPort}` };
    const replica = await servers.start({ settings: replicaSettings });
    const masterAdmin = servers.admin(master);
    const replicaAdmin = servers.admin(replica);
    await eventually(async () => (await replicaAdmin.info('replication')).includes('master_link_status:up'), {
      what: 'the replica has its master',
    });
    for (const admin of [replicaAdmin, masterAdmin]) {
      await admin.config('SET', 'masterauth', TEST_PASSWORD, 'requirepass', TEST_PASSWORD);
    }
    const sentinelSettings = await settings();
    const sentinel = await servers.startSentinel(
      `sentinel monitor farm 127.0.0.1 ${masterPort} 1
sentinel auth-pass farm "${TEST_PASSWORD}"
sentinel down-after-milliseconds farm ${DOWN_AFTER_MS}
sentinel failover-timeout farm 5000
`,
      sentinelSettings,
    );
    const watcher = servers.admin(sentinel);
    await eventually(
      async () => ((await watcher.call('SENTINEL', 'replicas', 'farm')) as unknown[]).length === 1,
      {
        what: 'the sentinel knows the replica',
        timeoutMs: 20_000,
      },
    );
    await watcher.acl('SETUSER', 'default', 'resetpass', `>${TEST_PASSWORD}`);
    const host = `127.0.0.1:${sentinelSettings['tls-port'] ?? sentinel.port}`;
    const password = encodeURIComponent(TEST_PASSWORD);
    const scheme = tls === undefined ? 'redis' : 'rediss';
    const ca = tls === undefined ? '' : `&ca=${tls.certificates.ca}`;
    const url = `${scheme}+sentinel://:${password}@${host}/farm?sentinelPassword=${password}${ca}`;
    return {
      url,
      host,
      killMaster: () => master.kill(),
      killAll: () => servers.killAll(),
      async pauseReplica() {
        process.kill(replica.pid, 'SIGSTOP');
        // It would still read what the system keeps for its connection.
        await masterAdmin.client('KILL', 'TYPE', 'REPLICA');
      },
      resumeReplica: () => void process.kill(replica.pid, 'SIGCONT'),
      close: () => servers.close(),
    };
  } catch (thrown) {
    await servers.close();
    throw thrown;
  }
}
