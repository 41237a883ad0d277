import type { RunControl } from '../run-bench.ts';
import { MAX_CHUNK_TEXTS } from '@embedfarm/contract';
import { besideBare, outline, type BesideBare } from './measure-calls.ts';
import { QueueFarm, rateOf, type Rate } from './queue-farm.ts';
import type { ChunkSizes } from './queue-sizes.ts';
import { INSTANT_DEVICE } from './timed-device.ts';

export interface MeasuredChunks {
  readonly texts: number;
  /** Awaited calls, one of each process. */
  readonly encode: BesideBare<Rate>;
  /** Submitted, and read by chunks to the end while they are encoded. */
  readonly submit: BesideBare<Rate>;
}

// As a farm's worker has for its bulk lane; see EncodeQueue for the priority.
const BULK = { workers: 1, concurrency: 2, priority: 1, textsPerJob: MAX_CHUNK_TEXTS };

/** Texts in full chunks, as many as a device of no time lets through. */
export function measureChunks(
  { clientProcesses, textsPerProcess, rounds }: ChunkSizes,
  control: RunControl,
): Promise<MeasuredChunks> {
  const options = { cost: INSTANT_DEVICE, clientProcesses, clientsPerProcess: 1 };
  return QueueFarm.with(options, control, async (farm) => {
    const texts = textsPerProcess * clientProcesses;
    const drain = { ...BULK, jobs: Math.ceil(texts / MAX_CHUNK_TEXTS) };
    const timed = async (load: () => Promise<unknown>): Promise<Rate> => {
      const readCost = await farm.beginCost();
      const beginMs = performance.now();
      await load();
      const seconds = (performance.now() - beginMs) / 1_000;
      return rateOf(texts, seconds, await readCost());
    };
    const encode = () =>
      timed(() =>
        Promise.all(farm.clients.map((client) => client.call('encode', { texts: textsPerProcess }))),
      );
    const submit = () =>
      timed(() =>
        Promise.all(
          farm.clients.map((client) => client.call('readBack', { texts: textsPerProcess, way: 'together' })),
        ),
      );
    await encode();
    await submit();
    const tell = (way: string) => (round: { farm: Rate; bare: Rate }) =>
      control.say(`${texts} texts in chunks, ${way}: ${outline(round)}`);
    return {
      texts,
      encode: await besideBare(rounds, farm, drain, encode, tell('encode')),
      submit: await besideBare(rounds, farm, drain, submit, tell('submit')),
    };
  });
}
