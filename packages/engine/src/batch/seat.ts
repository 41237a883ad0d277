import type { DeviceReport } from '@embedfarm/contract';
import type { Device } from '../device/device.ts';
import type { Provider } from '../device/provider.ts';
import { RecentRates } from './recent-rates.ts';
import type { SeatLimits } from './seat-limits.ts';

// Below this a smaller batch saves no memory worth speaking of.
const MIN_BUDGET = 16;
// The share of a new measurement in the running mean: about the last 20 batches count.
const NEW_SHARE = 0.1;

/** A device and what it is given. */
export interface SeatOptions extends SeatLimits {
  readonly device: Device;
  readonly provider: Provider;
  /** First guess of what a token takes; every batch corrects it. */
  readonly msPerToken: number;
  /** What was measured at the start. */
  readonly calibratedTokensPerSecond?: number;
}

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
  readonly provider: Provider;
  readonly #slots: number;
  readonly #calibratedTokensPerSecond: number | undefined;
  readonly #now: () => number;
  readonly #rates: RecentRates;
  /** The first one runs, the others are ready. */
  readonly #running: Running[] = [];
  #tokenBudget: number;
  #msPerToken: number;
  #lastEndMs: number;

  /** `now` gives ms. */
  constructor(options: SeatOptions, now: () => number) {
    this.device = options.device;
    this.provider = options.provider;
    this.#slots = options.slots;
    this.#calibratedTokensPerSecond = options.calibratedTokensPerSecond;
    this.#tokenBudget = options.tokenBudget;
    this.#msPerToken = options.msPerToken;
    this.#now = now;
    this.#rates = new RecentRates(now);
    this.#lastEndMs = now();
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

  get tokensPerMs(): number {
    return 1 / this.#msPerToken;
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

  /**
   * @param texts that have their rows; 0 for a run that failed.
   * @returns from when to when the batch ran: a batch that was ready began when the one before it ended.
   */
  end(running: Running, texts: number): { beginMs: number; endMs: number } {
    const beginMs = Math.max(running.givenMs, this.#lastEndMs);
    const endMs = this.#now();
    this.#running.splice(this.#running.indexOf(running), 1);
    this.#lastEndMs = endMs;
    this.#rates.add(texts, running.tokens, endMs - beginMs);
    if (texts > 0) this.#msPerToken += ((endMs - beginMs) / running.tokens - this.#msPerToken) * NEW_SHARE;
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
    const calibratedTokensPerSecond = this.#calibratedTokensPerSecond;
    return {
      name: this.device.name,
      provider: this.provider,
      slots: this.#slots,
      tokenBudget: this.#tokenBudget,
      busyShare,
      ...(calibratedTokensPerSecond === undefined ? {} : { calibratedTokensPerSecond }),
    };
  }

  rates(): ReturnType<RecentRates['read']> {
    return this.#rates.read();
  }
}
