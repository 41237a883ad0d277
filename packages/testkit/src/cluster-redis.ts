import { freePort } from '@embedfarm/service/free-port';
import type { Redis } from 'ioredis';
import { eventually } from './eventually.ts';
import { RedisServers } from './redis-servers.ts';

const SLOTS = 16_384;
const MASTERS = 3;
/** How long a master may be silent until the others take it for dead. */
const NODE_TIMEOUT_MS = 1_000;

/** Three masters with a third of the slots each, and a replica of the one that holds the keys of `{embedfarm}`. */
export interface ClusterRedis {
  readonly url: string;
  /** Kills the master that holds the farm's keys. Its replica takes its place. */
  killOwner(): Promise<void>;
  /** As a loss of power in all of it. */
  killAll(): Promise<void>;
  /** All of it again, with its data. */
  restartAll(): Promise<void>;
  close(): Promise<void>;
}

/** With `tls`, nodes and clients speak it alone. Takes a second or two: nodes meet by gossip. */
export async function openClusterRedis({ tls: wantsTls = false } = {}): Promise<ClusterRedis> {
  const servers = await RedisServers.open();
  try {
    const tls = wantsTls ? await servers.tlsSettings() : undefined;
    const nodes = await Promise.all(
      Array.from({ length: MASTERS + 1 }, async () => {
        const settings = await tls?.settings();
        const server = await servers.start({
          settings: {
            ...settings,
            // Nodes then tell clients of TLS the ports for it.
            ...(tls && { 'tls-auth-clients': 'no', 'tls-cluster': 'yes', 'tls-replication': 'yes' }),
            'cluster-enabled': 'yes',
            'cluster-port': String(await freePort()),
            'cluster-node-timeout': String(NODE_TIMEOUT_MS),
            'repl-diskless-sync-delay': '0',
          },
        });
        return { server, port: Number(settings?.['tls-port'] ?? server.port), admin: servers.admin(server) };
      }),
    );
    await joinNodes(nodes);
    const slot = await nodes[MASTERS]?.admin.cluster('KEYSLOT', '{embedfarm}');
    const owner = nodes[Math.floor((Number(slot) * MASTERS) / SLOTS)];
    const replica = nodes[MASTERS];
    if (owner === undefined || replica === undefined) throw new Error('there are fewer nodes than masters');
    const ownerId = await owner.admin.cluster('MYID');
    await eventually(async () => (await replica.admin.cluster('REPLICATE', ownerId)) === 'OK', {
      what: 'the replica knows its master',
    });
    await eventually(
      async () => (await replica.admin.info('replication')).includes('master_link_status:up'),
      {
        what: 'the replica has its master',
      },
    );
    const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`).join(',');
    return {
      url: tls ? `rediss+cluster://${hosts}?ca=${tls.certificates.ca}` : `redis+cluster://${hosts}`,
      killOwner: () => owner.server.kill(),
      killAll: () => servers.killAll(),
      restartAll: () => servers.restartAll(),
      close: () => servers.close(),
    };
  } catch (thrown) {
    await servers.close();
    throw thrown;
  }
}

interface Node {
  readonly admin: Redis;
  /** Where clients and other nodes reach it. */
  readonly port: number;
}

/** Deals the slots out, and waits until every node knows of it. */
async function joinNodes(nodes: readonly Node[]): Promise<void> {
  for (const [index, { admin }] of nodes.entries()) {
    await admin.cluster('SET-CONFIG-EPOCH', index + 1);
    if (index >= MASTERS) continue;
    const from = Math.ceil((index * SLOTS) / MASTERS);
    const to = Math.ceil(((index + 1) * SLOTS) / MASTERS) - 1;
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
  }
  for (const { admin, port } of nodes.slice(1)) {
    // Nodes talk to each other on a port of its own.
    const [, busPort] = (await admin.config('GET', 'cluster-port')) as [string, string];
    await nodes[0]?.admin.cluster('MEET', '127.0.0.1', port, Number(busPort));
  }
  for (const { admin } of nodes) {
    await eventually(
      async () => {
        const info = await admin.cluster('INFO');
        return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes.length}`);
      },
      { what: 'the nodes know each other', timeoutMs: 20_000 },
    );
  }
}
