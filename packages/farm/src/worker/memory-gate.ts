import type { RedisKeys } from '@embedfarm/contract';
import type { FarmRedis } from '../redis/farm-redis.ts';

/** Redis is asked again after this, as long as it has no memory. */
const PROBE_MS = 500;

export interface MemoryGatePorts {
  readonly redis: FarmRedis;
  readonly keys: RedisKeys;
  /** Redis has no memory left; told once until it has. */
  onFull(fault: Error): void;
  onRoom(): void;
}

/**
 * Notices that Redis is out of memory, and when it no longer is. BullMQ does not: it asks for the
 * next job, is refused, and asks again, 14,000 times a second.
 */
export class MemoryGate {
  readonly #ports: MemoryGatePorts;
  #isClosed = false;
  #room: Promise<void> | undefined;
  #wake: (() => void) | undefined;

  constructor(ports: MemoryGatePorts) {
    this.#ports = ports;
  }

  /** @returns whether the fault is a want of memory; the gate is shut then until there is some. */
  shut(fault: unknown): fault is Error {
    if (!(fault instanceof Error) || !fault.message.startsWith('OOM')) return false;
    if (this.#room || this.#isClosed) return true;
    this.#room = this.#awaitRoom();
    this.#ports.onFull(fault);
    return true;
  }

  /** Resolves when there is memory, or might be. */
  async room(): Promise<void> {
    await this.#room;
  }

  /** Asks no more; who waits goes on. */
  close(): void {
    this.#isClosed = true;
    this.#wake?.();
  }

  async #awaitRoom(): Promise<void> {
    while (!this.#isClosed) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, PROBE_MS);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      if (this.#isClosed || (await this.#hasMemory())) break;
    }
    this.#room = undefined;
    if (!this.#isClosed) this.#ports.onRoom();
  }

  /** A command that Redis refuses without memory, and that changes nothing: nothing, written behind nothing. */
  async #hasMemory(): Promise<boolean> {
    const { redis, keys } = this.#ports;
    try {
      await redis.setrange(keys.memoryProbe, 0, '');
      return true;
    } catch {
      return false;
    }
  }
}
