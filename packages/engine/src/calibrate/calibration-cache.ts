import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** What was measured of one device. */
export interface MeasuredDevice {
  readonly tokenBudget: number;
  /** With that budget, while all devices ran. */
  readonly tokensPerSecond: number;
}

/** Devices by name. */
export type Calibration = ReadonlyMap<string, MeasuredDevice>;

/** Part of the key: a calibration that measures otherwise gets another number. */
const VERSION = 1;

const fileSchema = z.strictObject({
  devices: z.record(
    z.string(),
    z.strictObject({ tokenBudget: z.int().min(16).max(1_048_576), tokensPerSecond: z.number().positive() }),
  ),
});

/** Calibrations in a folder, one file for each that `facts` tells apart. */
export class CalibrationCache {
  readonly #folder: string;
  readonly #path: string;

  /** `facts`: all that a measurement depends on. */
  constructor(cacheFolder: string, facts: unknown) {
    const key = createHash('sha256')
      .update(JSON.stringify([VERSION, facts]))
      .digest('hex');
    this.#folder = join(cacheFolder, 'calibration');
    this.#path = join(this.#folder, `${key.slice(0, 24)}.json`);
  }

  /** @returns undefined where there is none, or one that cannot be read. */
  async read(): Promise<Calibration | undefined> {
    try {
      const { devices } = fileSchema.parse(JSON.parse(await readFile(this.#path, 'utf8')));
      return new Map(Object.entries(devices));
    } catch {
      return undefined;
    }
  }

  /** A folder that cannot be written only means that the next start measures again. */
  async write(calibration: Calibration): Promise<void> {
    const own = `${this.#path}.${randomUUID()}`;
    try {
      await mkdir(this.#folder, { recursive: true });
      await writeFile(own, JSON.stringify({ devices: Object.fromEntries(calibration) }));
      await rename(own, this.#path);
    } catch {
      // As above.
    }
  }
}
