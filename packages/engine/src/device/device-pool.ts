import { joinSequences } from '../batch/sequence-batch.ts';
import type { Device } from './device.ts';
import { ReplaceableDevice } from './replaceable-device.ts';

// Long enough to reach the speed of real batches, short enough for the smallest model's positions.
const WARM_UP_TOKENS = 64;

/** The devices of an engine: opened, warm and replaced when lost. */
export class DevicePool {
  readonly devices: readonly Device[];
  /** What a token took on one device, while all of them ran. */
  readonly msPerToken: number;
  #closing: Promise<void> | undefined;

  private constructor(devices: readonly Device[], msPerToken: number) {
    this.devices = devices;
    this.msPerToken = msPerToken;
  }

  /** @throws what the first device threw that did not open; the others are closed again. */
  static async open(
    names: readonly string[],
    openDevice: (name: string) => Promise<Device>,
    warmUp: { tokenId: number; maxSequenceLength: number },
  ): Promise<DevicePool> {
    const opening = names.map((name) => ReplaceableDevice.open(() => openDevice(name)));
    const devices = (await Promise.allSettled(opening)).flatMap((opened) =>
      opened.status === 'fulfilled' ? [opened.value] : [],
    );
    try {
      await Promise.all(opening);
      const tokens = Math.min(WARM_UP_TOKENS, warmUp.maxSequenceLength);
      const batch = joinSequences([new Int32Array(tokens).fill(warmUp.tokenId)]);
      const runAll = (): Promise<unknown> => Promise.all(devices.map((device) => device.encode(batch)));
      // The first run allocates; the second one is as fast as all that follow.
      await runAll();
      const startMs = performance.now();
      await runAll();
      return new DevicePool(devices, (performance.now() - startMs) / tokens);
    } catch (error) {
      await closeAll(devices);
      throw error;
    }
  }

  close(): Promise<void> {
    this.#closing ??= closeAll(this.devices);
    return this.#closing;
  }
}

/** @throws AggregateError with every failure, after all were closed. */
async function closeAll(devices: readonly Device[]): Promise<void> {
  const closed = await Promise.allSettled(devices.map((device) => device.close()));
  const errors = closed.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} devices did not close`);
}
