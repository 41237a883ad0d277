import { FarmError } from '@embedfarm/contract';
import { joinSequences } from '../batch/sequence-batch.ts';
import type { Device } from './device.ts';
import { ReplaceableDevice } from './replaceable-device.ts';
import { TOGETHER } from './together-threads.ts';

// Long enough to reach the speed of real batches, short enough for the smallest model's positions.
const WARM_UP_TOKENS = 64;

export interface WarmDevice {
  readonly device: Device;
  /** What a token took there, while all devices ran. */
  readonly msPerToken: number;
}

/** The devices of an engine: opened, warm and replaced when lost. */
export class DevicePool {
  readonly devices: readonly WarmDevice[];
  /** All cores as one device; the batcher has it for what waits alone. */
  readonly together: Device | undefined;
  #closing: Promise<void> | undefined;

  private constructor(devices: readonly WarmDevice[], together: Device | undefined) {
    this.devices = devices;
    this.together = together;
  }

  get names(): string[] {
    const { devices, together } = this;
    return [...devices.map(({ device }) => device.name), ...(together ? [together.name] : [])];
  }

  /**
   * @param threads of `cpu/*`; without it there is none.
   * @throws what the first device threw that did not open; the others are closed again.
   */
  static async open(
    names: readonly string[],
    openDevice: (name: string, threads?: number) => Promise<Device>,
    { threads, ...warmUp }: { tokenId: number; maxSequenceLength: number; threads?: number | undefined },
  ): Promise<DevicePool> {
    const opening = names.map((name) => ReplaceableDevice.open(() => openDevice(name)));
    if (threads !== undefined) opening.push(ReplaceableDevice.open(() => openDevice(TOGETHER, threads)));
    const opened = (await Promise.allSettled(opening)).flatMap((result) =>
      result.status === 'fulfilled' ? [result.value] : [],
    );
    try {
      await Promise.all(opening);
      const devices = opened.slice(0, names.length);
      const together = opened[names.length];
      const row = new Int32Array(Math.min(WARM_UP_TOKENS / 2, warmUp.maxSequenceLength)).fill(warmUp.tokenId);
      const batch = joinSequences([row, row]);
      // The first run allocates; the second one is as fast as all that follow.
      for (const rows of await Promise.all(devices.map((device) => device.encode(batch)))) checkTwins(rows);
      const startMs = performance.now();
      const warming = devices.map(async (device): Promise<WarmDevice> => {
        await device.encode(batch);
        return { device, msPerToken: (performance.now() - startMs) / batch.ids.length };
      });
      const warm = await Promise.all(warming);
      await together?.encode(batch);
      return new DevicePool(warm, together);
    } catch (error) {
      await closeAll(opened);
      throw error;
    }
  }

  close(): Promise<void> {
    const devices = this.devices.map(({ device }) => device);
    this.#closing ??= closeAll(this.together ? [...devices, this.together] : devices);
    return this.#closing;
  }
}

/**
 * Two equal rows have equal vectors, or a row reads what is another's: a packed graph does not say how many
 * heads it has, and fewer of them in config.json would go unnoticed.
 */
function checkTwins(rows: Float32Array): void {
  const half = rows.length / 2;
  const largest = rows.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let index = 0; index < half; index += 1) {
    const difference = Math.abs((rows[index] ?? 0) - (rows[half + index] ?? 0));
    // A padded graph may differ in the last bits.
    if (difference > largest * 1e-3) {
      throw new FarmError(
        'internal',
        'two equal rows have other vectors: are the heads of config.json right?',
      );
    }
  }
}

/** @throws AggregateError with every failure, after all were closed. */
async function closeAll(devices: readonly Device[]): Promise<void> {
  const closed = await Promise.allSettled(devices.map((device) => device.close()));
  const errors = closed.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} devices did not close`);
}
