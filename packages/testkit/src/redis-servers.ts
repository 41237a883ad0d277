import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FarmError } from '@embedfarm/contract';
import { findRedisServer } from '@embedfarm/service/find-command';
import { freePort } from '@embedfarm/service/free-port';
import { installRedis } from '@embedfarm/service/install-redis';
import {
  startRedisServer,
  type RedisServer,
  type RedisServerOptions,
} from '@embedfarm/service/start-redis-server';
import { Redis } from 'ioredis';
import { makeCertificates, type Certificates } from './certificates.ts';

/** Passwords of test servers have one that is easily found in a message. */
export const TEST_PASSWORD = 's3cret/:@#%?';

/** The servers of one set-up, each in a folder of its own. They end together. */
export class RedisServers {
  readonly dir: string;
  readonly #servers: Promise<RedisServer>[] = [];
  readonly #options: RedisServerOptions[] = [];
  readonly #admins: Redis[] = [];
  #closing: Promise<void> | undefined;

  private constructor(dir: string) {
    this.dir = dir;
  }

  /** @throws FarmError `redis_unavailable` where there is no redis-server and none can be installed. */
  static async open(): Promise<RedisServers> {
    const print = (line: string) => process.stdout.write(`${line}\n`);
    if ((await findRedisServer()) === undefined && !(await installRedis(print))) {
      throw new FarmError('redis_unavailable', 'this test needs redis-server or valkey-server; none is here');
    }
    return new RedisServers(await mkdtemp(join(tmpdir(), 'embedfarm-test-redis-')));
  }

  async start(options: Omit<RedisServerOptions, 'dir'>): Promise<RedisServer> {
    const own = { ...options, dir: join(this.dir, String(this.#servers.length)) };
    const starting = startRedisServer(own);
    this.#options.push(own);
    this.#servers.push(starting);
    return await starting;
  }

  /** As a crash of all. Their data stay for `restartAll()`. */
  async killAll(): Promise<void> {
    for (const server of await Promise.all(this.#servers)) await server.kill();
  }

  /** Up again, each on its port with its data. */
  async restartAll(): Promise<void> {
    await this.killAll();
    const ports = (await Promise.all(this.#servers)).map(({ port }) => port);
    for (const [index, options] of this.#options.entries()) {
      const port = ports[index];
      this.#servers[index] = startRedisServer({ ...options, ...(port !== undefined && { port }) });
    }
    await Promise.all(this.#servers);
  }

  /** A sentinel. `config` is what stands in its file. */
  async startSentinel(config: string, settings: Record<string, string>): Promise<RedisServer> {
    const sentinelConfig = join(this.dir, `sentinel-${this.#servers.length}.conf`);
    await writeFile(sentinelConfig, config);
    return this.start({ sentinelConfig, settings });
  }

  /** What a server needs to speak TLS as well, on a port of its own. */
  async tlsSettings(): Promise<TlsSettings> {
    const certificates = await makeCertificates(join(this.dir, 'certificates'));
    const { ca, cert, key } = certificates;
    const settings = { 'tls-ca-cert-file': ca, 'tls-cert-file': cert, 'tls-key-file': key };
    return { certificates, settings: async () => ({ ...settings, 'tls-port': String(await freePort()) }) };
  }

  /** A connection to one server as its owner has one; it ends with the servers. */
  admin({ port }: Pick<RedisServer, 'port'>): Redis {
    const admin = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 50 });
    // Servers are killed here.
    admin.on('error', () => undefined);
    this.#admins.push(admin);
    return admin;
  }

  /** Kills all, and drops their data. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const admin of this.#admins) admin.disconnect();
    // Those that are still starting too.
    const started = await Promise.allSettled(this.#servers);
    const running = started.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
    await Promise.all(running.map((server) => server.kill()));
    await rm(this.dir, { recursive: true, force: true });
  }
}

export interface TlsSettings {
  readonly certificates: Certificates;
  /** Anew for each server. */
  readonly settings: () => Promise<Record<string, string>>;
}
