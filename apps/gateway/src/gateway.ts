import type { Server } from 'node:http';
import { parseOptions } from '@embedfarm/contract';
import type { EmbeddingFarm } from '@embedfarm/sdk';
import { TextRate } from '@embedfarm/farm/text-rate';
import { closeServer, listen, urlOf } from '@embedfarm/service/listen';
import type { BertDoor } from './bert-client/bert-door.ts';
import { within } from './bert-client/within.ts';
import { watchBertDoor } from './bert-client/watch-bert-door.ts';
import { BertStatus } from './bert-http/bert-status.ts';
import { farmDoors } from './farm-doors.ts';
import { FarmLink } from './farm-link.ts';
import { GatewayMetrics } from './gateway-metrics.ts';
import { gatewayOptionsSchema, type GatewayOptions, type ResolvedGatewayOptions } from './gateway-options.ts';
import { GatewayProbes } from './gateway-probes.ts';
import type { DoorPorts } from './http/door-ports.ts';
import { gatewayApp } from './http/gateway-app.ts';
import { OpenRequests } from './http/open-requests.ts';
import { ResultRoom } from './http/result-room.ts';
import { OpenBatches } from './openai-batch/open-batches.ts';
import { KeyRing, type ApiKey } from './keys/api-keys.ts';

/** The head of a request comes in this time, all of it in the next, or its connection is closed. */
const HEADERS_TIMEOUT_MS = 20_000;
const REQUEST_TIMEOUT_MS = 120_000;
/** Longer than load balancers keep a connection (60 s), so that they close it and not we. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** A connection on which nothing moves is closed; what takes longer than the farm's own deadline is nobody's. */
const IDLE_TIMEOUT_MS = 300_000;
const MAX_CONNECTIONS = 4_096;
const DEFAULT_GRACE_MS = 90_000;

export interface RunningGateway {
  readonly url: string;
  /** The ports of ZeroMQ, where it speaks it. */
  readonly bertClient: { readonly portIn: number; readonly portOut: number } | undefined;
  /** Settles at the end of a close, also of one that a TERMINATION began. */
  readonly closed: Promise<void>;
  /**
   * Drains: what is open may finish for `graceMs` (default 90,000), what is new is told to go elsewhere. Safe to call
   * twice.
   */
  close(options?: { graceMs?: number }): Promise<void>;
}

/**
 * The HTTP doors on a port. Redis may be down: the gateway opens, says so, and goes on when Redis does.
 *
 * @throws FarmError `invalid_argument` for a bad option, or a port that is taken.
 */
export async function openGateway(options: GatewayOptions): Promise<RunningGateway> {
  const resolved = parseOptions('gateway options', gatewayOptionsSchema, options);
  const {
    redis,
    prefix,
    port,
    host,
    model,
    keys,
    corsOrigins,
    maxBodyBytes,
    maxFileBytes,
    maxFilesBytes,
    maxHeldBytes,
    maxOpenRequests,
    logger,
  } = resolved;
  const metrics = new GatewayMetrics();
  const open = new OpenRequests({ maxRequests: maxOpenRequests, maxBytes: maxHeldBytes });
  const drain = new AbortController();
  const link = FarmLink.open({ redis, prefix, logger, prepare: (farm) => setWeights(farm, keys ?? []) });
  const rate = keys?.some(isLimited) === true ? TextRate.open({ redis, prefix }) : undefined;
  const charge = async (key: ApiKey | undefined, texts: number, signal: AbortSignal): Promise<void> => {
    if (key && isLimited(key)) await rate?.take(key.name, texts, key, { signal });
  };
  const ports: DoorPorts = {
    link,
    metrics,
    room: new ResultRoom(open),
    model,
    maxBodyBytes,
    maxOpenRequests,
    bert: new BertStatus({ model, maxBodyBytes }),
    draining: drain.signal,
    charge: ({ key, signal }, texts) => charge(key, texts, signal),
  };
  const batches = OpenBatches.open({
    redis,
    prefix,
    maxFileBytes,
    maxFilesBytes,
    link,
    // A key that the gateway does not know any more has no limit, and the farm's own holds.
    chargeKey: (name, texts, signal) =>
      charge(
        keys?.find((key) => key.name === name),
        texts,
        signal,
      ),
    logger,
  });
  const app = gatewayApp({
    open,
    metrics,
    probed: new GatewayProbes({ link, metrics, draining: drain.signal }),
    draining: drain.signal,
    corsOrigins,
    keys: keys && new KeyRing(keys),
    ...farmDoors(ports, open, batches),
    logger,
  });
  const release = async (): Promise<void> => {
    await batches.drain({ graceMs: 0 });
    batches.close();
    rate?.close();
    await link.close();
  };
  let server: Server | undefined;
  let bert: BertDoor | undefined;
  try {
    server = await listen(app, port, host);
    bert = await openBertClient(resolved, ports);
  } catch (thrown) {
    if (server) await closeServer(server);
    await release();
    throw thrown;
  }
  const connections = bound(server);
  metrics.watch(() => ({
    connections: connections(),
    openRequests: open.count,
    heldBytes: open.heldBytes,
  }));
  if (bert) watchBertDoor(metrics.registry, bert);
  const finish = async (graceMs: number): Promise<void> => {
    drain.abort();
    await Promise.all([within(graceMs, open.empty()), bert?.close({ graceMs }), batches.drain({ graceMs })]);
    await closeServer(server);
    await release();
  };
  return running(urlOf(server), bert, finish);
}

function running(
  url: string,
  bert: BertDoor | undefined,
  finish: (graceMs: number) => Promise<void>,
): RunningGateway {
  let closing: Promise<void> | undefined;
  let tellClosed: (end: Promise<void>) => void = () => undefined;
  const closed = new Promise<void>((resolve) => (tellClosed = resolve));
  // Who awaits the close hears of what went wrong in it.
  closed.catch(() => undefined);
  const close = ({ graceMs = DEFAULT_GRACE_MS } = {}): Promise<void> => {
    closing ??= finish(graceMs);
    tellClosed(closing);
    return closing;
  };
  // A TERMINATION ends the whole of it, as it ends a server of bert-as-service; so does a socket that fails.
  void bert?.closed.then(() => close()).catch(() => undefined);
  return { url, bertClient: bert && { portIn: bert.portIn, portOut: bert.portOut }, closed, close };
}

/** ZeroMQ is loaded where it is asked for. */
async function openBertClient(
  { bertClient, model, logger }: ResolvedGatewayOptions,
  { link, bert }: DoorPorts,
): Promise<BertDoor | undefined> {
  if (!bertClient) return undefined;
  const { openBertDoor } = await import('./bert-client/open-bert-door.ts');
  const farm = link.connected();
  // Whoever waits for it hears of the end.
  farm.catch(() => undefined);
  const door = await openBertDoor({
    ...bertClient,
    farm,
    statistic: bert.statistic,
    ...(model === undefined ? {} : { model }),
    ...(logger === undefined ? {} : { logger }),
  });
  bert.watch(door);
  return door;
}

async function setWeights(farm: EmbeddingFarm, keys: readonly ApiKey[]): Promise<void> {
  for (const { name, weight } of keys) if (weight !== undefined) await farm.setWeight(name, weight);
}

function isLimited(key: ApiKey): key is ApiKey & { textsPerSecond: number } {
  return key.textsPerSecond !== undefined;
}

/** @returns how many connections are open. */
function bound(server: Server): () => number {
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
  server.timeout = IDLE_TIMEOUT_MS;
  server.maxConnections = MAX_CONNECTIONS;
  let connections = 0;
  server.on('connection', (socket) => {
    connections += 1;
    socket.once('close', () => (connections -= 1));
  });
  return () => connections;
}
