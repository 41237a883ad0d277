import { FarmError, MAX_CHUNK_TEXTS, type EncodeText } from '@embedfarm/contract';
import { FakeEncoder, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { keysWithoutTtl } from '@embedfarm/testkit/redis-leaks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeRequest, manyTexts, TestFarm } from '../testing/test-farm.ts';
import { takeRows } from '../testing/take-rows.ts';
import type { CallOptions } from './encode-call.ts';
import type { EncodedChunk, StreamOptions, TextSource } from './producer-port.ts';
import type { Producer } from './producer.ts';

describe('a stream', () => {
  let farm: TestFarm;
  let producer: Producer;
  let encoder: FakeEncoder;

  beforeAll(async () => {
    farm = await TestFarm.open();
  });
  afterAll(() => farm.close());
  beforeEach(async () => {
    await farm.client.flushall();
    encoder = new FakeEncoder();
    await farm.openWorker(encoder);
    producer = await farm.openProducer();
  });
  afterEach(async () => {
    encoder.release();
    await farm.settleQueue();
    await farm.rest();
    const failedJobs = [/:failed$/, /:0-[^:]*\.\d+$/];
    expect(await keysWithoutTtl(farm.redis.url, failedJobs)).toEqual([]);
  });

  function stream(
    texts: TextSource,
    options: StreamOptions = {},
    call: CallOptions = {},
  ): AsyncIterableIterator<EncodedChunk> {
    return producer.stream(texts, encodeRequest(), options, call);
  }

  it('gives the vectors of an iterable and of an async one, in the order of the texts', async () => {
    const texts = manyTexts(3 * MAX_CHUNK_TEXTS + 5);
    const expected = texts.map((text, index) => [index, fakeVector(text)]);
    expect(await takeRows(stream(texts))).toEqual(expected);
    expect(await takeRows(stream(later(texts), { window: 1 }))).toEqual(expected);
    expect(await takeRows(stream(new Set(texts), { position: 300 }))).toEqual(expected.slice(300));
    expect(await takeRows(stream([]))).toEqual([]);
    expect(encoder.calls.every(({ lane }) => lane === 'bulk')).toBe(true);
  });

  it('reads and sends no more than its window while nobody takes', async () => {
    let read = 0;
    const chunks = stream(
      (function* () {
        for (;;) yield `text ${(read += 1)}`;
      })(),
      { window: 3 },
    );
    for (let taken = 1; taken <= 4; taken += 1) {
      await chunks.next();
      // All that is on its way is done, and still nothing more is read.
      await encoder.arrived(taken + 3);
      expect(read).toBe((taken + 3) * MAX_CHUNK_TEXTS);
      expect(encoder.calls).toHaveLength(taken + 3);
    }
    await chunks.return?.();
  });

  it('gives a bad text its error at its index, and the others their vectors', async () => {
    const texts = [
      'good',
      '\ud800',
      null,
      ['a', 'b'],
      'bad text',
      'x'.repeat(1_000_001),
      'last',
    ] as EncodeText[];
    expect(await takeRows(stream(texts))).toEqual([
      [0, fakeVector('good')],
      [1, expect.stringContaining('texts[1] holds a lone surrogate')],
      [2, 'texts[2] must be a string or a pair of strings, got null'],
      [3, fakeVector(['a', 'b'])],
      [4, 'told to fail'],
      [5, expect.stringContaining('texts[5] has 1000001 bytes')],
      [6, fakeVector('last')],
    ]);
  });

  it('sends what a slow source gave, where somebody waits for it', async () => {
    const gate = new Gate();
    const chunks = stream(
      (async function* () {
        yield 'first';
        await gate.opened(1);
        yield 'second';
        await gate.opened(2);
        yield 'third';
        await gate.opened(3);
      })(),
    );
    // Nothing else is on its way.
    expect((await chunks.next()).value).toMatchObject({ from: 0 });
    encoder.hold();
    const second = chunks.next();
    gate.open(1);
    await encoder.arrived(2);
    gate.open(2);
    // The second is on its way, and the source is silent.
    await encoder.arrived(3);
    encoder.release();
    expect((await second).value).toMatchObject({ from: 1 });
    expect((await chunks.next()).value).toMatchObject({ from: 2 });
    gate.open(3);
    expect(await chunks.next()).toMatchObject({ done: true });
  });

  it('gives chunks as they finish where that is asked for', async () => {
    const [first, second] = [manyTexts(MAX_CHUNK_TEXTS), ['quick']];
    const chunks = stream([...first, ...second], { order: 'finished' });
    encoder.holdTexts(first);
    expect((await chunks.next()).value).toMatchObject({ from: MAX_CHUNK_TEXTS });
    encoder.release();
    expect((await chunks.next()).value).toMatchObject({ from: 0 });
    expect(await chunks.next()).toMatchObject({ done: true });
  });

  it('gives what is done before what its source throws, and cancels the rest', async () => {
    const fault = new RangeError('the disk is gone');
    const gate = new Gate();
    const chunks = stream(
      (async function* () {
        yield* manyTexts(MAX_CHUNK_TEXTS);
        yield* Array.from({ length: MAX_CHUNK_TEXTS }, () => 'held');
        await gate.opened(1);
        throw fault;
      })(),
    );
    encoder.holdTexts(['held']);
    expect((await chunks.next()).value).toMatchObject({ from: 0 });
    const rest = chunks.next();
    await encoder.arrived(2);
    gate.open(1);
    await expect(rest).rejects.toBe(fault);
    await farm.settleQueue();
    expect(await chunks.next()).toMatchObject({ done: true });
  });

  it('cancels what is under way and lets its source end when it is left, also in the middle of a wait', async () => {
    let hasEnded = false;
    encoder.hold();
    const chunks = stream(
      (function* () {
        try {
          yield* manyTexts(10 * MAX_CHUNK_TEXTS);
        } finally {
          hasEnded = true;
        }
      })(),
      { window: 6 },
    );
    const waiting = chunks.next();
    await encoder.arrived(2);
    await chunks.return?.();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(hasEnded).toBe(true);
    await farm.settleQueue();
    expect(encoder.calls).toHaveLength(2);
  });

  it('does not wait for a source that hangs', async () => {
    const chunks = stream(
      (async function* (): AsyncGenerator<string> {
        yield 'one';
        await new Promise(() => undefined);
      })(),
    );
    for await (const { from } of chunks) {
      expect(from).toBe(0);
      break;
    }
  });

  it.each([
    ['its signal', 'cancelled', async (abort: AbortController) => abort.abort()],
    ['the close of its producer', 'cancelled', () => producer.close()],
  ])('ends with %s', async (_, code, end) => {
    const abort = new AbortController();
    encoder.hold();
    const chunks = stream(manyTexts(1_000), {}, { signal: abort.signal });
    const waiting = chunks.next();
    await encoder.arrived(1);
    await Promise.all([expect(waiting).rejects.toMatchObject({ code }), end(abort)]);
  });

  it('says why nothing came in time', async () => {
    await takeRows(stream(['a']));
    encoder.hold();
    const late = stream(['b'], {}, { timeoutMs: 100 }).next();
    await expect(late).rejects.toMatchObject({ code: 'deadline_exceeded' });
    await expect(
      producer.stream(['a'], encodeRequest({ model: 'other' }), {}, {}).next(),
    ).rejects.toMatchObject({
      code: 'model_not_found',
    });
  });

  it('ends when the model is another, and goes on after a chunk that failed', async () => {
    encoder.failNext(new FarmError('sequence_too_long', 'too long'));
    expect(await takeRows(stream(['a', 'b']))).toEqual([
      [0, 'too long'],
      [1, 'too long'],
    ]);
    encoder.failNext(new FarmError('model_changed', 'another one'));
    await expect(stream(['a']).next()).rejects.toMatchObject({ code: 'model_changed' });
  });

  it('tells its progress, and ends where its listener throws', async () => {
    const progress: object[] = [];
    await takeRows(stream(manyTexts(300), { window: 1 }, { onProgress: (done) => progress.push(done) }));
    expect(progress).toEqual([
      { done: 256, total: 256 },
      { done: 300, total: 300 },
    ]);
    const onProgress = (): void => {
      throw new RangeError('mine');
    };
    await expect(stream(['a'], {}, { onProgress }).next()).rejects.toMatchObject({ code: 'internal' });
  });

  it.each([['text'], [7], [null], [{}]])('refuses %j as a source', (source) => {
    expect(() => stream(source as unknown as string[])).toThrow(
      'texts must be an iterable or async iterable',
    );
  });
});

async function* later(texts: readonly string[]): AsyncGenerator<string> {
  yield* texts;
}

/** Steps that a test lets its source take. */
class Gate {
  readonly #steps = new Map<number, PromiseWithResolvers>();

  opened(step: number): Promise<void> {
    return this.#at(step).promise;
  }

  open(step: number): void {
    this.#at(step).resolve();
  }

  #at(step: number): PromiseWithResolvers {
    const known = this.#steps.get(step) ?? withResolvers();
    this.#steps.set(step, known);
    return known;
  }
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function withResolvers(): PromiseWithResolvers {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
