import { FarmError, parseOptions } from '@embedfarm/contract';
import { version as zeromqVersion } from 'zeromq';
import { answerRequest, type AnswerPorts } from './answer-request.ts';
import {
  bertDoorOptionsSchema,
  type BertDoorOptions,
  type ResolvedBertDoorOptions,
} from './bert-door-options.ts';
import { ClientLedger } from './client-ledger.ts';
import { ClientTurns } from './client-turns.ts';
import { newDoorCounters, type DoorCounters } from './door-counters.ts';
import type { DoorFigures } from './door-figures.ts';
import { DoorGuards } from './door-guards.ts';
import { DoorSockets } from './door-sockets.ts';
import { FarmLink } from './farm-link.ts';
import { Outbox, type OutgoingResult } from './outbox.ts';
import { QuietLog } from './quiet-log.ts';
import { readRequest, type DoorRequest } from './read-request.ts';
import { RequestStatistic } from './request-statistic.ts';
import { bytesOf, failureFrames } from './result-frames.ts';
import { Subscriptions } from './subscriptions.ts';
import type { DoorFacts } from './server-config.ts';
import { within } from './within.ts';

/** A message over the limit of a request is still read, to be answered; one of so many times the limit is not. */
const CUT_FACTOR = 4;
/** What a request or a result takes beside its bytes. */
const OVERHEAD_BYTES = 4_096;
const ROOM_POLL_MS = 100;
/** Longest that requests which have arrived are read at the close, and that libzmq has for its last results. */
const LAST_READ_MS = 1_000;
const LAST_SEND_MS = 3_000;
const DEFAULT_GRACE_MS = 30_000;

/** The door for clients of bert-as-service, on its two ports. */
export class BertDoor {
  readonly counters: DoorCounters;
  readonly portIn: number;
  readonly portOut: number;
  /** What those who ask are told of it. */
  readonly facts: DoorFacts;
  /** Settles when the door is closed, by whomever. */
  readonly closed: Promise<void>;
  readonly #options: ResolvedBertDoorOptions;
  readonly #sockets: DoorSockets;
  readonly #guards: DoorGuards;
  readonly #subscriptions = new Subscriptions();
  readonly #statistic: RequestStatistic;
  readonly #ledger = new ClientLedger();
  readonly #outbox: Outbox;
  readonly #log: QuietLog;
  readonly #ports: AnswerPorts;
  /** Requests that wait or are under way. */
  readonly #served = new Map<AbortController, Promise<void>>();
  readonly #reading: Promise<void>;
  readonly #hearing: Promise<void>;
  #onRoom: (() => void) | undefined;
  #tellClosed!: () => void;
  #closing: Promise<void> | undefined;

  private constructor(
    options: ResolvedBertDoorOptions,
    sockets: DoorSockets,
    guards: DoorGuards,
    counters: DoorCounters,
  ) {
    this.counters = counters;
    this.#options = options;
    this.#sockets = sockets;
    this.#guards = guards;
    this.portIn = guards.requests.port;
    this.portOut = guards.results.port;
    this.facts = factsOf(options, this);
    this.#statistic = options.statistic ?? new RequestStatistic();
    this.#log = new QuietLog(options.logger);
    this.#outbox = new Outbox(
      {
        send: (frames) => sockets.send(frames),
        has: (client) => this.#subscriptions.has(client),
        hears: (client) => this.#subscriptions.hears(client),
        onLeave: (client, result, isSent) => this.#onLeave(client, result, isSent),
      },
      options,
    );
    this.#ports = this.#answerPorts();
    this.closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
    this.#reading = this.#read().catch((thrown: unknown) => this.#fail(thrown));
    this.#hearing = this.#hear().catch((thrown: unknown) => this.#fail(thrown));
  }

  /** @throws FarmError `invalid_argument` for a bad option, or a port that is taken. */
  static async open(options: BertDoorOptions): Promise<BertDoor> {
    const resolved = parseOptions('bert client options', bertDoorOptionsSchema, options);
    const counters = newDoorCounters();
    const maxMessageBytes = resolved.maxRequestBytes * CUT_FACTOR;
    const sockets = await DoorSockets.open({ maxMessageBytes });
    try {
      const guards = await DoorGuards.open(resolved, maxMessageBytes, sockets, counters);
      return new BertDoor(resolved, sockets, guards, counters);
    } catch (thrown) {
      sockets.closeRequests();
      sockets.closeResults();
      throw thrown;
    }
  }

  figures(): DoorFigures {
    return {
      connections: this.#guards.connections,
      clients: this.#ledger.clients,
      requests: this.#ledger.totalRequests,
      calls: this.#ports.turns.runningCalls,
      heldBytes: this.#ledger.totalBytes,
    };
  }

  /**
   * Takes nobody in, answers what has arrived within `graceMs` (30,000), the rest with `cancelled`, and lets go of
   * everything. Safe to call twice.
   */
  async close({ graceMs = DEFAULT_GRACE_MS }: { graceMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    await this.#closing;
  }

  #answerPorts(): AnswerPorts {
    const { redis, prefix, farm, model, timeoutMs, logger, maxClientBytes } = this.#options;
    return {
      options: this.#options,
      link: new FarmLink({ redis, prefix, farm, model, timeoutMs, logger }),
      turns: new ClientTurns((client) => this.#ledger.of(client).resultBytes < maxClientBytes),
      counters: this.counters,
      statistic: this.#statistic,
      log: this.#log,
      facts: this.facts,
      figures: () => this.figures(),
    };
  }

  async #hear(): Promise<void> {
    for await (const frames of this.#sockets.subscriptions()) {
      const topic = this.#subscriptions.note(frames);
      if (topic !== undefined) this.#outbox.claim(topic);
    }
  }

  async #read(): Promise<void> {
    for await (const frames of this.#sockets.requests()) {
      this.counters.receivedBytes += bytesOf(frames);
      this.#onMessage(frames);
      while (this.#isFull) await this.#room();
    }
  }

  /** A socket that does not read any more serves nobody. */
  #fail(thrown: unknown): void {
    this.#options.logger?.error(`bert client: closing, as a socket failed: ${String(thrown)}`);
    void this.close();
  }

  /** Until something has left, or somebody may have got stuck. */
  async #room(): Promise<void> {
    if (this.#outbox.dropLongest()) return;
    await within(
      ROOM_POLL_MS,
      new Promise<void>((resolve) => {
        this.#onRoom = resolve;
      }),
    );
  }

  #onMessage(frames: readonly Buffer[]): void {
    const request = readRequest(frames);
    if (typeof request === 'string') {
      this.counters.malformed += 1;
      this.#log.warn(`bert client: a message is dropped: ${request}`);
    } else if (request.kind === 'terminate') {
      this.#terminate();
    } else {
      this.#take(request);
    }
  }

  #terminate(): void {
    if (this.#options.allowTermination) {
      this.#options.logger?.info('bert client: closing, as a TERMINATION says');
      void this.close();
      return;
    }
    this.counters.terminationsRefused += 1;
    this.#log.warn(
      'bert client: a TERMINATION is not obeyed; the option allowTermination says whether one is',
    );
  }

  #take(request: DoorRequest): void {
    const { client, kind, rows, body } = request;
    const isEncode = kind === 'encode';
    if (isEncode) this.counters.requests += 1;
    else this.counters.questions += 1;
    this.#statistic.note(client, isEncode ? rows : undefined);
    const bytes = body.length + OVERHEAD_BYTES;
    const { maxClientBytes, maxClientRequests } = this.#options;
    const had = this.#ledger.of(client);
    if (had.requestBytes + bytes > maxClientBytes || had.requests >= maxClientRequests) {
      this.#refuse(request);
      return;
    }
    this.#ledger.addRequest(client, bytes);
    const abort = new AbortController();
    const served = this.#serve(request, abort).finally(() => {
      this.#served.delete(abort);
      this.#ledger.endRequest(client, bytes);
      this.#onRoom?.();
    });
    this.#served.set(abort, served);
  }

  /** Who reads what he is told is told. */
  #refuse(request: DoorRequest): void {
    const { maxClientBytes, maxClientRequests } = this.#options;
    const { requests, requestBytes, resultBytes } = this.#ledger.of(request.client);
    this.counters.refused += 1;
    const fault =
      `the client has ${requests} requests of ${requestBytes} bytes here, ` +
      `limits are ${maxClientRequests} and ${maxClientBytes}`;
    this.#log.warn(`bert client: a request is refused: ${fault}`);
    const isReading = !this.#outbox.isStuck(request.client) && resultBytes < maxClientBytes;
    if (isReading) this.#put(request, failureFrames(request, new FarmError('overloaded', fault)));
  }

  async #serve(request: DoorRequest, abort: AbortController): Promise<void> {
    this.#put(request, await answerRequest(request, this.#ports, abort));
  }

  #put({ client }: DoorRequest, frames: Buffer[]): void {
    const bytes = bytesOf(frames) + OVERHEAD_BYTES;
    this.#ledger.addResult(client, bytes);
    this.#outbox.put(client, { frames, bytes });
    if (this.#isFull) this.#outbox.dropLongest();
  }

  get #isFull(): boolean {
    return this.#ledger.totalBytes > this.#options.maxHeldBytes;
  }

  #onLeave(client: string, { frames, bytes }: OutgoingResult, isSent: boolean): void {
    this.#ledger.endResult(client, bytes);
    if (isSent) {
      this.counters.results += 1;
      this.counters.sentBytes += bytesOf(frames);
    } else {
      this.counters.dropped += 1;
      this.#log.warn('bert client: a result is dropped, as its client does not take it');
    }
    this.#ports.turns.look();
    this.#onRoom?.();
  }

  async #close(graceMs: number): Promise<void> {
    const untilMs = performance.now() + graceMs;
    const leftMs = (): number => Math.max(0, untilMs - performance.now());
    this.#guards.requests.shut();
    await this.#sockets.drain();
    await within(Math.min(LAST_READ_MS, leftMs()), this.#reading);
    this.#sockets.closeRequests();
    await within(leftMs(), Promise.all(this.#served.values()));
    for (const abort of this.#served.keys()) abort.abort();
    await Promise.all(this.#served.values());
    await within(Math.max(LAST_READ_MS, leftMs()), this.#outbox.idle());
    this.#outbox.close();
    this.#sockets.closeResults();
    await this.#guards.close({ withinMs: LAST_SEND_MS });
    await Promise.all([this.#reading, this.#hearing]);
    await this.#ports.link.close();
    this.#tellClosed();
  }
}

function factsOf(
  { normalize, showTokens, maxRequestBytes, maxRequestTexts }: ResolvedBertDoorOptions,
  { portIn, portOut }: Pick<BertDoor, 'portIn' | 'portOut'>,
): DoorFacts {
  const zeromq = { version: zeromqVersion, portIn, portOut };
  return { startedAt: new Date(), normalize, showTokens, maxRequestBytes, maxRequestTexts, zeromq };
}
