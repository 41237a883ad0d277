import { setTimeout as rest } from 'node:timers/promises';
import { FarmError } from '@embedfarm/contract';
import { BATCH_LEASE_MS, type HeldBatch } from '@embedfarm/farm/batches';
import type { Logger } from '@embedfarm/service/logger';
import { BatchHand, type BatchPorts } from './batch-hand.ts';
import { failBatch, stepBatch } from './step-batch.ts';

/** Between two looks for a batch that is due; a new one of this gateway is taken up at once. */
const LOOK_MS = 500;
/** Batches that one gateway has in hand at a time: each of them may be filling a request for long. */
const MAX_BATCHES = 4;
const RENEW_MS = BATCH_LEASE_MS / 5;
const FIRST_REST_MS = 500;
const LAST_REST_MS = 30_000;
/** Of attempts in a row that fail for a reason that should not come again. */
const MAX_ATTEMPTS = 8;
/** As long as these are there, a batch waits for the end of its time. */
const PATIENT = new Set<string>([
  'overloaded',
  'redis_unavailable',
  'no_worker',
  'deadline_exceeded',
  'cancelled',
]);

/** Brings batches on, those of gateways that are gone too. */
export class BatchRunner {
  readonly #ports: BatchPorts;
  readonly #logger: Logger | undefined;
  readonly #closing = new AbortController();
  readonly #cutOff = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #turning: Promise<void>;
  #wake: (() => void) | undefined;

  private constructor(ports: BatchPorts, logger: Logger | undefined) {
    this.#ports = ports;
    this.#logger = logger;
    this.#turning = this.#turn();
  }

  static open(ports: BatchPorts, logger: Logger | undefined): BatchRunner {
    return new BatchRunner(ports, logger);
  }

  /** Looks at once. */
  kick(): void {
    this.#wake?.();
  }

  /** Takes no more up, brings what it has in hand to the end of its step for `graceMs`, leaves the rest to others. */
  async close({ graceMs }: { graceMs: number }): Promise<void> {
    this.#closing.abort();
    this.kick();
    const timer = setTimeout(() => this.#cutOff.abort(), graceMs);
    await this.#turning;
    await Promise.all(this.#running);
    clearTimeout(timer);
  }

  async #turn(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      const held = this.#running.size < MAX_BATCHES ? await this.#claim() : undefined;
      if (held) {
        const running: Promise<void> = this.#run(held).finally(() => {
          this.#running.delete(running);
          this.kick();
        });
        this.#running.add(running);
      } else {
        await this.#rest();
      }
    }
  }

  async #rest(): Promise<void> {
    const ends = new AbortController();
    this.#wake = () => ends.abort();
    if (this.#closing.signal.aborted) return;
    await rest(LOOK_MS, undefined, { signal: ends.signal }).catch(() => undefined);
    this.#wake = undefined;
  }

  async #claim(): Promise<HeldBatch | undefined> {
    try {
      return await this.#ports.batches.claim({ signal: this.#closing.signal });
    } catch (thrown) {
      this.#logger?.debug({ fault: FarmError.from(thrown).message }, 'no batch can be taken up');
      return undefined;
    }
  }

  /** Never rejects. */
  async #run(held: HeldBatch): Promise<void> {
    const lost = new AbortController();
    const stop = new AbortController();
    const signal = AbortSignal.any([lost.signal, this.#cutOff.signal]);
    const hand = this.#handOf(held, signal, AbortSignal.any([signal, stop.signal]));
    if (!hand) return;
    const over = setTimeout(() => stop.abort(), hand.leftMs);
    const renewing = setInterval(() => {
      this.#ports.batches
        .renew(held)
        .then((state) => {
          if (state === 'lost') lost.abort();
          if (state === 'cancelling') stop.abort();
        })
        .catch(() => undefined);
    }, RENEW_MS);
    try {
      await this.#step(hand);
    } catch (thrown) {
      this.#logger?.warn(
        { batch: held.id, fault: FarmError.from(thrown).message },
        'a batch is left to others',
      );
    } finally {
      clearTimeout(over);
      clearInterval(renewing);
    }
  }

  #handOf(held: HeldBatch, signal: AbortSignal, stop: AbortSignal): BatchHand | undefined {
    try {
      return new BatchHand(held, this.#ports, { signal, stop });
    } catch (thrown) {
      // Another version wrote it, which looks after it when the lease is over.
      this.#logger?.warn({ batch: held.id, fault: String(thrown) }, 'a batch cannot be read');
      return undefined;
    }
  }

  async #step(hand: BatchHand): Promise<void> {
    let next: number | 'ended';
    try {
      next = await stepBatch(hand);
      hand.change({ attempts: 0 });
    } catch (thrown) {
      if (hand.signal.aborted && !this.#cutOff.signal.aborted) return;
      next = this.#afterFault(hand, FarmError.from(thrown));
    }
    await hand.save(next);
    this.#logger?.debug({ batch: hand.batch.id, state: hand.record.state }, 'a batch has come on');
  }

  #afterFault(hand: BatchHand, fault: FarmError): number | 'ended' {
    const { code, detail, retryAfterMs } = fault;
    // To be cancelled, or its time is over, or somebody else goes on: the next step says how.
    if (hand.stop.aborted && hand.record.state !== 'finalizing')
      return code === 'cancelled' ? 0 : FIRST_REST_MS;
    if (this.#cutOff.signal.aborted) return 0;
    const attempts = hand.record.attempts + 1;
    hand.change({ attempts });
    this.#logger?.warn({ batch: hand.batch.id, attempts, fault: fault.message }, 'a step of a batch failed');
    if (code === 'result_expired') return failBatch(hand, 'input_file_gone', detail);
    if (!PATIENT.has(code) && attempts >= MAX_ATTEMPTS) return failBatch(hand, code, detail);
    return retryAfterMs ?? Math.min(LAST_REST_MS, FIRST_REST_MS * 2 ** Math.min(attempts, 10));
  }
}
