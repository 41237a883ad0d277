import {
  FarmError,
  parseOptions,
  redisKeys,
  type EncodeRequest,
  type EncodeText,
  type Lane,
  type ModelRegistration,
  type RedisKeys,
} from '@embedfarm/contract';
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { EncodeQueue } from '../queue/encode-queue.ts';
import { TenantWeights } from '../queue/tenant-weights.ts';
import { connectRedis, disconnectRedis, hidePassword, waitForRedis } from '../redis/connect.ts';
import { askLease } from '../redis/admission.ts';
import { LimitStore } from '../redis/farm-limits.ts';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { ModelRegistry } from '../redis/model-registry.ts';
import { RedisClock } from '../redis/redis-clock.ts';
import { ReplyStream } from '../redis/reply-stream.ts';
import { ClientPresence } from '../stats/client-presence.ts';
import { answerFromCache } from './answer-from-cache.ts';
import type { CallPart } from './call-part.ts';
import { Coalescer, type SharedTerms } from './coalesce.ts';
import { admitCall } from './admit-call.ts';
import { ClientLease } from './client-lease.ts';
import { deadlineFault } from './deadline-fault.ts';
import { EncodeCall, IDLE_TIMEOUT_MS, withoutSpent, type CallOptions } from './encode-call.ts';
import { EncodeStream } from './encode-stream.ts';
import type { EncodedTexts } from './encoded-texts.ts';
import { enqueueFault, enqueueRequest, enqueueShared, type EnqueuePorts } from './enqueue.ts';
import { KnownTerms } from './known-terms.ts';
import { ModelCache } from './model-cache.ts';
import { openCarrier } from './open-carrier.ts';
import { OpenGuard } from './open-guard.ts';
import { PendingChunks } from './pending-chunks.ts';
import { producerOptionsSchema, type OpenOptions, type ProducerOptions } from './producer-options.ts';
import type { EncodedChunk, ProducerPort, StreamOptions, TextSource } from './producer-port.ts';
import { splitTexts } from './split-texts.ts';
import { SubmittedRequests } from './submitted-requests.ts';
import { sweepPending } from './sweep.ts';
import { takeReply } from './take-reply.ts';
import { withDeadline } from '../redis/with-deadline.ts';
import { traceEncode } from './trace-encode.ts';
import { traceStream } from './trace-stream.ts';

const HEARTBEAT_MS = 5_000;
/** Longest a look at the weights, or a change, may take. */
const ASK_TIMEOUT_MS = 5_000;
/** Longest a producer asks Redis why a call got nothing, and one that closes waits for it to hear of that. */
const LAST_STEP_MS = 1_000;

/** The producer's side of the farm: texts to chunk jobs, replies to vectors. */
export class Producer implements ProducerPort {
  readonly clientId: string;
  /** Submitted requests, those of other producers too. */
  readonly requests: SubmittedRequests;
  readonly weights: TenantWeights;
  /** What the whole farm may hold. */
  readonly limits: LimitStore;
  readonly #guard = new OpenGuard();
  readonly #command: FarmRedis;
  readonly #url: string;
  readonly #keys: RedisKeys;
  readonly #clock: RedisClock;
  readonly #registry: ModelRegistry;
  readonly #models: ModelCache;
  readonly #terms = new KnownTerms();
  readonly #queues = new Map<string, EncodeQueue>();
  readonly #pending = new PendingChunks();
  readonly #coalescer: Coalescer;
  readonly #lease: ClientLease;
  readonly #presence: ClientPresence;
  readonly #ports: EnqueuePorts;
  readonly #calls = new Set<{ fail(error: FarmError): void }>();
  #replies!: ReplyStream;
  #heartbeat: NodeJS.Timeout | undefined;
  #requests = 0;
  #closing: Promise<void> | undefined;

  private constructor(command: FarmRedis, keys: RedisKeys, clock: RedisClock, options: OpenOptions) {
    this.clientId = randomBytes(9).toString('hex');
    this.#command = command;
    this.#url = options.redis;
    this.#keys = keys;
    this.#clock = clock;
    this.#registry = new ModelRegistry(command, keys);
    this.#models = new ModelCache(this.#registry);
    this.#lease = new ClientLease({
      ask: (use, options) => askLease(command, keys, this.clientId, use, options),
      isReady: () => command.status === 'ready',
      faultOf: enqueueFault,
    });
    this.#presence = new ClientPresence({
      redis: command,
      keys,
      clientId: this.clientId,
      name: options.name,
      inFlightTexts: () => this.#lease.used.texts,
    });
    this.#ports = {
      redis: command,
      keys,
      clientId: this.clientId,
      telemetry: options.telemetry,
      pending: this.#pending,
      lease: this.#lease,
      presence: this.#presence,
      nowMs: () => clock.nowMs(),
      nextRequestId: () => this.#nextRequestId(),
      queue: (model, lane) => this.#queue(model, lane),
    };
    this.requests = new SubmittedRequests({
      ...this.#ports,
      guard: this.#guard,
      resolve: (request, options) => this.#resolve(request, options),
      redisFault: () => this.#redisFault(),
    });
    this.weights = new TenantWeights(command, keys, { ask: (step) => this.#ask(step) });
    this.limits = new LimitStore(command, keys, (step) => this.#ask(step));
    this.#coalescer = new Coalescer((chunk) => enqueueShared(chunk, this.#ports));
  }

  /**
   * @throws FarmError `redis_unavailable` when Redis does not answer within `timeoutMs`;
   * `invalid_argument` naming a broken option.
   */
  static async open(options: ProducerOptions, { signal }: { signal?: AbortSignal } = {}): Promise<Producer> {
    const resolved = parseOptions('connect options', producerOptionsSchema, options);
    const { redis: url, prefix, timeoutMs } = resolved;
    const keys = redisKeys(prefix);
    const command = connectRedis(url, 'few');
    const blocking = connectRedis(url, 'one');
    try {
      await waitForRedis(command, url, keys, { signal, timeoutMs });
      const clock = await RedisClock.open(command, keys);
      const producer = new Producer(command, keys, clock, resolved);
      await producer.#listen(blocking);
      return producer;
    } catch (thrown) {
      disconnectRedis(command);
      disconnectRedis(blocking);
      throw FarmError.from(thrown);
    }
  }

  /**
   * Vectors of the texts, in their order.
   *
   * @throws TextsFailed when some texts failed; FarmError for the call as a whole.
   */
  async encode(
    texts: readonly EncodeText[],
    request: EncodeRequest,
    options: CallOptions,
  ): Promise<EncodedTexts> {
    this.#guard.check();
    const { telemetry } = this.#ports;
    if (!telemetry) return await this.#encode(texts, request, options);
    return await traceEncode(telemetry, texts.length, (trace) =>
      this.#encode(texts, request, trace === undefined ? options : { ...options, trace }),
    );
  }

  async #encode(...[texts, request, options]: Parameters<Producer['encode']>): Promise<EncodedTexts> {
    const startedAt = performance.now();
    const known = this.#models.known(request.model);
    const registration = known ?? (await this.#resolve(request, options));
    const { model } = registration;
    const terms = this.#terms.of(request, registration, texts.length);
    const left = known ? options : withoutSpent(options, startedAt);
    const call = new EncodeCall(model, texts, left, (refusal) => this.#deadlineFault(model, refusal));
    this.#calls.add(call);
    if (terms.cacheTtlMs === undefined) this.#send(call, terms);
    else answerFromCache(call, terms, this.#ports, (missed) => this.#send(missed, terms));
    try {
      return await call.promise;
    } finally {
      this.#calls.delete(call);
    }
  }

  #send(part: CallPart, terms: SharedTerms): void {
    if (part.hasEnded) return;
    const ranges = splitTexts(part.texts, terms.maxTexts);
    if (ranges.length === 1) admitCall(part, terms, this.#lease, this.#coalescer);
    else enqueueRequest(part, ranges, terms, this.#ports);
  }

  /** Chunk by chunk, with back-pressure: see EncodeStream. */
  stream(
    texts: TextSource,
    request: EncodeRequest,
    options: StreamOptions,
    call: CallOptions,
  ): AsyncIterableIterator<EncodedChunk> {
    return traceStream(this.#ports.telemetry, call, (traced) => {
      const open = async () => {
        const registration = await this.#resolve(request, call);
        const fault = (refusal?: FarmError) => this.#deadlineFault(registration.model, refusal);
        return openCarrier(request, registration, options, traced, this.#ports, fault);
      };
      return new EncodeStream({ texts, request, options, call }, open, this.#calls).chunks();
    });
  }

  /** Open calls reject with `cancelled`. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #listen(blocking: FarmRedis): Promise<void> {
    this.#replies = await ReplyStream.open({
      blocking,
      command: this.#command,
      keys: this.#keys,
      clientId: this.clientId,
      announce: (read) => this.#presence.announce(read),
      onReply: (reply, storedAtMs) => void takeReply(reply, storedAtMs, this.#ports),
    });
    await this.#lease.renew();
    this.#command.on('ready', this.#beat);
    this.#heartbeat = setInterval(this.#beat, HEARTBEAT_MS);
  }

  /** Every 5 s and on every reconnect: says that the client lives, and looks after silent chunks. */
  readonly #beat = (): void => {
    if (this.#command.status !== 'ready') return;
    Promise.all([this.#replies.renew(), this.#clock.sync(this.#command), this.#lease.renew()])
      .then(() => sweepPending(this.#command, this.#keys, this.#pending, () => this.#clock.nowMs()))
      // A lost connection: the next beat comes with the next one.
      .catch(() => undefined);
  };

  async #resolve(request: EncodeRequest, options: CallOptions): Promise<ModelRegistration> {
    const { signal, timeoutMs = IDLE_TIMEOUT_MS } = options;
    const resolving = this.#models.resolve(request.model);
    const found = await this.#guard.whileOpen(
      withDeadline(resolving, { signal, timeoutMs }, () => this.#redisFault()),
    );
    this.#guard.check();
    return found;
  }

  async #ask<Value>(step: () => Promise<Value>): Promise<Value> {
    this.#guard.check();
    const limits = { timeoutMs: ASK_TIMEOUT_MS };
    return await this.#guard.whileOpen(withDeadline(step(), limits, () => this.#redisFault()));
  }

  #queue(model: string, lane: Lane): EncodeQueue {
    const key = `${lane} ${model}`;
    const open = this.#queues.get(key);
    if (open) return open;
    const queue = EncodeQueue.open(this.#command, this.#keys.prefix, model, lane);
    this.#queues.set(key, queue);
    return queue;
  }

  #nextRequestId(): string {
    this.#requests += 1;
    return `0-${this.clientId}-${this.#requests.toString(36)}`;
  }

  #deadlineFault(model: string, refusal?: FarmError): Promise<FarmError> {
    return deadlineFault(model, refusal, {
      registry: this.#registry,
      isReady: () => this.#command.status === 'ready',
      nowMs: () => this.#clock.nowMs(),
      redisFault: () => this.#redisFault(),
    });
  }

  #redisFault(): FarmError {
    return new FarmError('redis_unavailable', `Redis at ${hidePassword(this.#url)} does not answer`);
  }

  async #close(): Promise<void> {
    clearInterval(this.#heartbeat);
    this.#command.off('ready', this.#beat);
    this.#guard.close();
    for (const call of this.#calls) call.fail(new FarmError('cancelled', 'the farm connection was closed'));
    await this.requests.close();
    this.#lease.close();
    await this.#replies.close();
    for (const queue of this.#queues.values()) await queue.close();
    if (this.#command.status === 'ready') {
      // A Redis that does not answer forgets the client by itself.
      await withDeadline(this.#presence.leave(), { timeoutMs: LAST_STEP_MS }, () => this.#redisFault()).catch(
        () => undefined,
      );
    }
    disconnectRedis(this.#command);
  }
}
