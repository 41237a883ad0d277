import { FarmError, type RedisAddress, type RedisTls } from '@embedfarm/contract';
import { Cluster, Redis } from 'ioredis';
import { readFileSync } from 'node:fs';
import { createSecureContext, type ConnectionOptions } from 'node:tls';
import type { FarmRedis } from './farm-redis.ts';

/** Reconnects at least this often, so that a farm is back soon after its Redis is. */
const MAX_RETRY_DELAY_MS = 300;
/** A connection, TLS and login included, comes about in this time or is tried again. */
const CONNECT_TIMEOUT_MS = 5_000;
/** A server that owes an answer for so long is gone without a word. Blocking reads end after 10 s at most. */
const SOCKET_TIMEOUT_MS = 15_000;
/** Where a Cluster's slots are is asked of another node after this. */
const SLOTS_TIMEOUT_MS = 2_000;
/** A command that a Cluster sends elsewhere goes there after this, so that two nodes that disagree are no tight loop. */
const MOVED_DELAY_MS = 20;
/** A command whose node is gone looks for its new place this often. */
const FAILOVER_DELAY_MS = 100;

/**
 * A connection, not yet established, that retries for ever: commands wait for it.
 *
 * @param isWatched by watchAnswers, in place of ioredis' own timer for each command.
 * @throws FarmError `invalid_argument` when a file of the TLS settings cannot be read or is not what it should be.
 */
export function openRedis(address: RedisAddress, isWatched: boolean): FarmRedis {
  const { kind, hosts, database, masterName = '', sentinelLogin } = address;
  const options = optionsOf(address, isWatched);
  if (kind === 'cluster') return openCluster(hosts, options);
  if (kind === 'single') return new Redis({ ...options, ...hosts[0], db: database });
  const { tls } = options;
  return new Redis({
    ...options,
    db: database,
    name: masterName,
    sentinels: hosts.map((host) => ({ ...host })),
    sentinelUsername: sentinelLogin.username,
    sentinelPassword: sentinelLogin.password,
    ...(tls && { sentinelTLS: tls, enableTLSForSentinelMode: true }),
    sentinelRetryStrategy: retryDelayMs,
    sentinelCommandTimeout: CONNECT_TIMEOUT_MS,
  });
}

function optionsOf({ username, password, tls }: RedisAddress, isWatched: boolean) {
  return {
    username,
    password,
    ...(tls && { tls: readTls(tls) }),
    retryStrategy: retryDelayMs,
    // BullMQ needs null; a command waits until Redis is back.
    maxRetriesPerRequest: null,
    // A host that is gone without a word is noticed.
    connectTimeout: CONNECT_TIMEOUT_MS,
    keepAlive: 5_000,
    ...(!isWatched && { socketTimeout: SOCKET_TIMEOUT_MS }),
    // One form of reply for all servers; measured facts are on RESP2.
    protocol: 2 as const,
  };
}

function openCluster(hosts: RedisAddress['hosts'], redisOptions: ReturnType<typeof optionsOf>): Cluster {
  return new Cluster([...hosts], {
    redisOptions,
    clusterRetryStrategy: retryDelayMs,
    // As of one server: who waits for a command has a deadline of his own.
    maxRedirections: Number.POSITIVE_INFINITY,
    retryDelayOnMoved: MOVED_DELAY_MS,
    retryDelayOnFailover: FAILOVER_DELAY_MS,
    retryDelayOnClusterDown: FAILOVER_DELAY_MS,
    slotsRefreshTimeout: SLOTS_TIMEOUT_MS,
    // Names stay names: certificates bear them, and each connection looks them up anew.
    dnsLookup: (name, done) => done(null, name),
  });
}

function retryDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 10), MAX_RETRY_DELAY_MS);
}

function readTls({ ca, cert, key, servername }: RedisTls): ConnectionOptions {
  const tls = {
    ...(ca !== undefined && { ca: readPem('ca', ca) }),
    ...(cert !== undefined && { cert: readPem('cert', cert) }),
    ...(key !== undefined && { key: readPem('key', key) }),
  };
  try {
    createSecureContext(tls);
  } catch (cause) {
    const files = Object.keys(tls).join(', ');
    const { message } = cause as Error;
    throw new FarmError('invalid_argument', `redis: ${files} of its TLS do not fit: ${message}`, { cause });
  }
  return { ...tls, ...(servername !== undefined && { servername }) };
}

function readPem(name: string, path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const { code = 'unreadable' } = cause as NodeJS.ErrnoException;
    throw new FarmError('invalid_argument', `redis: the file ${name} (${path}) cannot be read: ${code}`, {
      cause,
    });
  }
  if (text.includes('-----BEGIN ')) return text;
  throw new FarmError('invalid_argument', `redis: the file ${name} (${path}) holds no PEM text`);
}
