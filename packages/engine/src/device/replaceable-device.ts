import { FarmError } from '@embedfarm/contract';
import type { SequenceBatch } from '../batch/sequence-batch.ts';
import type { Device } from './device.ts';

/**
 * A device that is opened anew when it is lost. The batches that were on it reject with `device_lost`;
 * later ones wait for the new one. One that cannot be opened rejects the batches that waited for it, and
 * the next batch tries again.
 */
export class ReplaceableDevice implements Device {
  readonly name: string;
  readonly dimensions: number;
  readonly #open: () => Promise<Device>;
  #current: Promise<Device>;
  #closing: Promise<void> | undefined;

  private constructor(first: Device, open: () => Promise<Device>) {
    this.name = first.name;
    this.dimensions = first.dimensions;
    this.#open = open;
    this.#current = Promise.resolve(first);
  }

  static async open(open: () => Promise<Device>): Promise<ReplaceableDevice> {
    return new ReplaceableDevice(await open(), open);
  }

  async encode(batch: SequenceBatch): Promise<Float32Array> {
    if (this.#closing) throw new FarmError('device_lost', `${this.name} is closed`);
    const current = this.#current;
    try {
      const device = await current;
      return await device.encode(batch);
    } catch (thrown) {
      const error = FarmError.from(thrown);
      if (error.code === 'device_lost') this.#replace(current);
      throw error;
    }
  }

  /** Of several batches that lost the same device, the first one replaces it. */
  #replace(lost: Promise<Device>): void {
    if (this.#closing || this.#current !== lost) return;
    const next = lost
      .then(closeQuietly, () => undefined)
      .then(() => this.#open())
      .catch((cause: unknown) => {
        const { detail } = FarmError.from(cause);
        throw new FarmError('device_lost', `${this.name} was lost and cannot be opened again: ${detail}`, {
          cause,
        });
      });
    this.#current = next;
    next.catch(() => undefined);
  }

  close(): Promise<void> {
    this.#closing ??= this.#current.then(
      (device) => device.close(),
      () => undefined,
    );
    return this.#closing;
  }
}

async function closeQuietly(device: Device): Promise<void> {
  await device.close().catch(() => undefined);
}
