import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { redisKeys, type Lane } from '@embedfarm/contract';
import { openDashboard } from '@embedfarm/dashboard/dashboard';
import { FarmWorker, type Encoder } from '@embedfarm/farm/worker';
import { EmbeddingFarm } from '@embedfarm/sdk';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeRegistration } from '@embedfarm/testkit/fake-encoder';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { Redis } from 'ioredis';

const EMBEDFARM = fileURLToPath(new URL('../../apps/cli/bin/embedfarm.js', import.meta.url));
const CALL_TIMEOUT_MS = 10_000;

type Dashboard = Awaited<ReturnType<typeof openDashboard>>;
type DashboardOptions = Parameters<typeof openDashboard>[0];

/** A farm on a Redis of its own with a dashboard on a free port. What is opened through it is closed with it. */
export class BoardFarm {
  readonly redis: TestRedis;
  /** For looking at what Redis holds, and for writing what nobody should. */
  readonly client: Redis;
  readonly keys = redisKeys();
  readonly #options: DashboardOptions;
  #dashboard: Dashboard;
  readonly #open: { close: () => Promise<unknown> }[] = [];

  private constructor(redis: TestRedis, options: DashboardOptions, dashboard: Dashboard) {
    this.redis = redis;
    this.#options = options;
    this.#dashboard = dashboard;
    this.client = new Redis(redis.url);
    // While it is restarted.
    this.client.on('error', () => undefined);
  }

  static async open(options: { key?: string } = {}): Promise<BoardFarm> {
    const redis = await openTestRedis();
    const all = { redis: redis.url, port: 0, ...options };
    return new BoardFarm(redis, all, await openDashboard(all));
  }

  get url(): string {
    return this.#dashboard.url;
  }

  /** Nobody answers at its address until it is started again. */
  async stopDashboard(): Promise<void> {
    await this.#dashboard.close();
  }

  async restartDashboard(): Promise<void> {
    this.#dashboard = await openDashboard({ ...this.#options, port: Number(new URL(this.url).port) });
  }

  async openClient(options: { name?: string } = {}): Promise<EmbeddingFarm> {
    return this.#keep(await EmbeddingFarm.connect({ redis: this.redis.url, ...options }));
  }

  /** A worker in this process, of the model `fake`. */
  async openWorker(encoder: Encoder = new FakeEncoder(), options: object = {}): Promise<FarmWorker> {
    const registration = fakeRegistration();
    return this.#keep(await FarmWorker.open(registration, encoder, { redis: this.redis.url, ...options }));
  }

  /** The model `fake` is known, and nobody serves it. */
  async registerModel(): Promise<void> {
    await (await this.openWorker()).close();
  }

  /** A worker of the embedded model as a person starts one, when the farm has heard of it. */
  async startWorker(): Promise<{ workerId: string; process: ChildProcess }> {
    const child = spawn(
      process.execPath,
      [EMBEDFARM, 'worker', '--devices', 'cpu:1', '--redis', this.redis.url],
      { stdio: 'ignore' },
    );
    this.#open.push({ close: () => endProcess(child, 'SIGKILL') });
    const isOurs = ({ pid }: { pid: number }) => pid === child.pid;
    const find = async () => (await this.status()).workers.find(isOurs);
    const found = await eventually(find, { timeoutMs: 30_000, what: 'a worker that is heard of' });
    return { workerId: found.workerId, process: child };
  }

  /** What the dashboard's API says. */
  async api<Body>(path: string): Promise<Body> {
    const signal = AbortSignal.timeout(CALL_TIMEOUT_MS);
    const response = await fetch(`${this.url}/api/${path}`, { signal });
    if (!response.ok) throw new Error(`api/${path} answers ${response.status}`);
    return (await response.json()) as Body;
  }

  status(): Promise<Awaited<ReturnType<EmbeddingFarm['status']>>> {
    return this.api('status');
  }

  /** Texts that wait in a lane of a model, counted job by job in Redis: a job's name says how many it holds. */
  async waitingTexts(model: string, lane: Lane): Promise<number> {
    const prefix = this.keys.jobPrefix(model, lane);
    const [waiting, prioritized] = await Promise.all([
      this.client.lrange(`${prefix}wait`, 0, -1),
      this.client.zrange(`${prefix}prioritized`, '0', '-1'),
    ]);
    const names = await Promise.all(
      [...waiting, ...prioritized].map((id) => this.client.hget(`${prefix}${id}`, 'name')),
    );
    return names.reduce((texts, name) => texts + Number.parseInt(name ?? '', 10), 0);
  }

  /** Texts that were encoded in all the seconds that Redis knows of. */
  async textsInRedis(): Promise<number> {
    const seconds = await this.client.keys(`${this.keys.statsPrefix}*`);
    const counts = await Promise.all(seconds.map((key) => this.client.hget(key, 'texts')));
    return counts.reduce((texts, count) => texts + Number(count ?? 0), 0);
  }

  /** Clients as they write themselves, heard of this moment. */
  async writeClients(count: number): Promise<void> {
    const [seconds = 0] = await this.client.time();
    const ids = Array.from({ length: count }, (_, index) => `client-${index}`);
    const report = (index: number) =>
      JSON.stringify({ name: `app ${index}`, host: 'a-host', pid: index, inFlightTexts: index % 7 });
    await this.client
      .pipeline()
      .zadd(this.keys.clients, ...ids.flatMap((id) => [Number(seconds) * 1_000, id]))
      .hset(this.keys.clientReports, new Map(ids.map((id, index) => [id, report(index)])))
      .exec();
  }

  async close(): Promise<void> {
    for (const one of this.#open.toReversed()) await one.close();
    await this.#dashboard.close();
    this.client.disconnect();
    await this.redis.close();
  }

  #keep<One extends { close: () => Promise<unknown> }>(one: One): One {
    this.#open.push(one);
    return one;
  }
}

/** Ends a process and waits for its end. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}
