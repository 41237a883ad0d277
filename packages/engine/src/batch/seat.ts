import type { DeviceReport } from '@embedfarm/contract';
import type { Device } from '../device/device.ts';
import { RecentRates } from './recent-rates.ts';

// Below this a smaller batch saves no memory worth speaking of.
const MIN_BUDGET = 16;

/** A batch that was given to a device. */
export interface Running {
  readonly tokens: number;
  readonly givenMs: number;
  /** Another batch was on the device when it was lost. */
  isBystander: boolean;
}

/** A device as the batcher sees it: what runs there, its budget, its load. */
export class Seat {
  readonly device: Device;
  readonly #slots: number;
  readonly #now: () => number;
  readonly #rates: RecentRates;
  /** The first one runs, the others are ready. */
  readonly #running: Running[] = [];
  #tokenBudget: number;
  #lastEndMs: number;

  constructor(device: Device, options: { slots: number; tokenBudget: number; now: () => number }) {
    this.device = device;
    this.#slots = options.slots;
    this.#tokenBudget = options.tokenBudget;
    this.#now = options.now;
    this.#rates = new RecentRates(options.now);
    this.#lastEndMs = options.now();
  }

  get isIdle(): boolean {
    return this.#running.length === 0;
  }

  get hasSlot(): boolean {
    return this.#running.length < this.#slots;
  }

  get tokenBudget(): number {
    return this.#tokenBudget;
  }

  get runningTokens(): number {
    return this.#running.reduce((sum, { tokens }) => sum + tokens, 0);
  }

  /** When it ran out of work, or began on what it has. */
  get sinceMs(): number {
    const [first] = this.#running;
    return first ? Math.max(first.givenMs, this.#lastEndMs) : this.#lastEndMs;
  }

  begin(tokens: number): Running {
    const running = { tokens, givenMs: this.#now(), isBystander: false };
    this.#running.push(running);
    return running;
  }

  /** @returns from when to when the batch ran: a batch that was ready began when the one before it ended. */
  end(running: Running, texts: number): { beginMs: number; endMs: number } {
    const beginMs = Math.max(running.givenMs, this.#lastEndMs);
    const endMs = this.#now();
    this.#running.splice(this.#running.indexOf(running), 1);
    this.#lastEndMs = endMs;
    this.#rates.add(texts, running.tokens, endMs - beginMs);
    return { beginMs, endMs };
  }

  /** The device is gone: what was ready there never began. */
  excuseOthers(culprit: Running): void {
    for (const running of this.#running) if (running !== culprit) running.isBystander = true;
  }

  halveBudget(): void {
    this.#tokenBudget = Math.max(MIN_BUDGET, Math.floor(this.#tokenBudget / 2));
  }

  report(): DeviceReport {
    const { busyShare } = this.rates();
    return { name: this.device.name, slots: this.#slots, tokenBudget: this.#tokenBudget, busyShare };
  }

  rates(): ReturnType<RecentRates['read']> {
    return this.#rates.read();
  }
}
