import { encodeRequestSchema, FarmError } from '@embedfarm/contract';
import { Batcher } from '@embedfarm/engine/batch/batcher';
import { EncodeCall } from '@embedfarm/engine/batch/encode-call';
import { ReplaceableDevice } from '@embedfarm/engine/device/replaceable-device';
import { Producer, TextsFailed, type EncodedTexts } from '@embedfarm/farm/producer';
import { FarmWorker, type Encoder } from '@embedfarm/farm/worker';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeDevice, type FakeDeviceOptions } from '@embedfarm/testkit/fake-device';
import { fakeRegistration } from '@embedfarm/testkit/fake-encoder';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const request = encodeRequestSchema.parse({});
const STRANGERS = ['one stranger', 'another one', 'and a third'];
const BAD = '☠ bad';

type OpenDevice = ConstructorParameters<typeof Batcher>[0][number]['device'];

describe('a batch of several jobs that fails on the device', () => {
  let redis: TestRedis;
  const open: { close: () => Promise<unknown> }[] = [];

  beforeEach(async () => {
    redis = await openTestRedis();
  });
  afterEach(async () => {
    for (const one of open.toReversed()) await one.close();
    open.length = 0;
    await redis.close();
  });

  /** One whole worker on the device. While `held` runs a batch, what comes waits for company. */
  async function openFarm(device: OpenDevice, held: FakeDevice) {
    const seat = { device, provider: 'cpu', slots: 1, tokenBudget: 256, msPerToken: 1 } as const;
    const batcher = new Batcher([seat], { windowTexts: 64, graph: 'packed', now: () => performance.now() });
    open.push(await FarmWorker.open(fakeRegistration(), encoderOn(batcher), { redis: redis.url }));
    const [mine, theirs] = [
      await Producer.open({ redis: redis.url }),
      await Producer.open({ redis: redis.url }),
    ];
    open.push(mine, theirs);
    return {
      batcher,
      /** The bad text and the strangers', each in a job of its own, all of them in one batch. */
      encodeTogether: async (texts: readonly string[]) => {
        held.hold();
        const first = theirs.encode(['first'], request, {});
        await held.begun(1);
        const bad = mine.encode(texts, request, {}).catch((error: unknown) => error);
        const strangers: Promise<EncodedTexts>[] = [];
        for (const [index, stranger] of STRANGERS.entries()) {
          strangers.push(theirs.encode([stranger], request, {}));
          await eventually(() => batcher.waitingTexts === texts.length + index + 1);
        }
        held.releaseAll();
        await first;
        const vectors = (await Promise.all(strangers)).map(({ block }) => Array.from(block.values));
        return { bad: await bad, vectors };
      },
    };
  }

  it('fails the culprit alone, and every stranger has its vector', async () => {
    const device = new FakeDevice(failing('internal'));
    const { encodeTogether } = await openFarm(device, device);
    const { bad, vectors } = await encodeTogether(['good', BAD]);
    expect(vectors).toEqual(STRANGERS.map(rowOf));
    expect(device.batches[1]?.lengths).toHaveLength(2 + STRANGERS.length);
    expect(failuresOf(bad)).toMatchObject([{ index: 1, code: 'internal', message: 'told to fail' }]);
    expect(Array.from((bad as TextsFailed).encoded.block.values)).toEqual(rowOf('good'));
  });

  it('is tried with less where memory ran out, and nobody fails', async () => {
    const device = new FakeDevice({
      fault: ({ ids }) => (ids.length > 20 ? new FarmError('out_of_memory', 'full') : undefined),
    });
    const { batcher, encodeTogether } = await openFarm(device, device);
    const { bad, vectors } = await encodeTogether(['good', 'fine']);
    expect(vectors).toEqual(STRANGERS.map(rowOf));
    expect(Array.from((bad as EncodedTexts).block.values)).toEqual([rowOf('good'), rowOf('fine')].flat());
    expect(device.batches[1]?.lengths).toHaveLength(2 + STRANGERS.length);
    expect(batcher.deviceReports()[0]?.tokenBudget).toBeLessThanOrEqual(128);
  });

  it('fails alone what does not fit into memory by itself', async () => {
    const device = new FakeDevice(failing('out_of_memory'));
    const { encodeTogether } = await openFarm(device, device);
    const { bad, vectors } = await encodeTogether([BAD, 'good']);
    expect(vectors).toEqual(STRANGERS.map(rowOf));
    expect(failuresOf(bad)).toMatchObject([{ index: 0, code: 'out_of_memory' }]);
  });

  it('fails alone what loses one device after the other', async () => {
    const first = new FakeDevice(failing('device_lost'));
    const devices = [first];
    const device = await ReplaceableDevice.open(() =>
      Promise.resolve(devices.shift() ?? new FakeDevice(failing('device_lost'))),
    );
    const { batcher, encodeTogether } = await openFarm(device, first);
    const { bad, vectors } = await encodeTogether(['good', BAD]);
    expect(vectors).toEqual(STRANGERS.map(rowOf));
    expect(failuresOf(bad)).toMatchObject([{ index: 1, code: 'device_lost' }]);
    expect(batcher.counters.devicesLost).toBe(3);
  });
});

/** The engine's batcher without a tokenizer: a character is a token. */
function encoderOn(batcher: Batcher): Encoder {
  return {
    async encode(texts, { dtype }, { lane, signal }) {
      const call = new EncodeCall(
        texts.length,
        { dimensions: 4, normalize: false, dtype },
        performance.now(),
      );
      signal.addEventListener('abort', () => call.cancel(new FarmError('cancelled', 'aborted')), {
        once: true,
      });
      const sequences = texts.map((text, index) => ({ index, call, ids: idsOf(String(text)) }));
      batcher.put(sequences, lane);
      await call.settled;
      return call.toBlock();
    },
    get backlogMs() {
      return batcher.backlogMs;
    },
    get waitingTexts() {
      return batcher.waitingTexts;
    },
    onBatchEnd: (listener) => batcher.onChange(listener),
    deviceReports: () => batcher.deviceReports(),
    throughput: () => batcher.throughput(),
  };
}

function failing(code: FarmError['code']): FakeDeviceOptions {
  const [skull] = idsOf(BAD);
  return {
    fault: ({ ids }) => (ids.includes(skull ?? -1) ? new FarmError(code, 'told to fail') : undefined),
  };
}

function idsOf(text: string): Int32Array {
  return Int32Array.from(text, (character) => character.codePointAt(0) ?? 0);
}

/** What a FakeDevice gives. */
function rowOf(text: string): number[] {
  const ids = [...idsOf(text)];
  return [ids.length, ids.reduce((sum, id) => sum + id, 0), ids[0] ?? 0, ids.at(-1) ?? 0];
}

function failuresOf(error: unknown): TextsFailed['failures'] {
  expect(error).toBeInstanceOf(TextsFailed);
  return (error as TextsFailed).failures;
}
