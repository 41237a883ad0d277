import { isNativeError } from 'node:util/types';
import { EmbeddingFarm, type AnyEmbeddings, type SubmittedRequest } from '@embedfarm/sdk';
import { checkVectors } from './exact.ts';
import { MODEL } from './fuzz-worker.ts';
import { hostileSource, type SourceCase } from './hostile-sources.ts';
import { hostileString } from './hostile-strings.ts';
import { hostileValue } from './hostile-values.ts';
import { show, type FuzzCase } from './judge.ts';
import { hostileOptions } from './sdk-options.ts';
import type { SeededRandom } from './seeded-random.ts';

/** Calls of a user who gives anything. */
export interface SdkUser {
  readonly farm: EmbeddingFarm;
  readonly redis: string;
  /** Ids of submitted requests, the newest last. */
  readonly requestIds: string[];
}

/** A source that hangs is let go after this. */
const HANG_MS = 300;
/** Beyond a call's own deadline, on a slow machine. */
const LIMIT_MS = 30_000;
const MAX_ROWS = 2_000;

/** The types are what a user in JavaScript does not see. */
type Loose = any; // oxlint-disable-line typescript/no-explicit-any

interface Call {
  readonly args: readonly unknown[];
  readonly run: (source: SourceCase) => Promise<unknown>;
}
type CallMaker = (random: SeededRandom, user: SdkUser) => Call;

const CALLS: Readonly<Record<string, CallMaker>> = {
  encode(random, { farm }) {
    const args = [hostileTexts(random), hostileOptions(random, 'encode')];
    return { args, run: () => farm.encode(...(args as [Loose, Loose])) };
  },
  'encode good texts'(random, { farm }) {
    const texts = Array.from(
      { length: 1 + random.below(5) },
      (_, index) => `${index} ${random.below(1_000)}`,
    );
    const args = [texts, { model: MODEL, timeoutMs: LIMIT_MS / 2 }];
    return { args, run: async () => checkVectors(await farm.encode(...(args as [Loose, Loose])), texts) };
  },
  submit(random, user) {
    const args = [hostileTexts(random), hostileOptions(random, 'submit')];
    return { args, run: async () => await fill(await user.farm.submit(...(args as [Loose, Loose])), user) };
  },
  'submit a source'(random, user) {
    const options = random.chance(0.5) ? { model: MODEL } : hostileOptions(random, 'submit');
    return {
      args: ['a source', options],
      run: async (source) => {
        const texts = hostileSource(random, source);
        await fill(await user.farm.submit(texts as Loose, options as Loose), user);
      },
    };
  },
  'stream a source'(random, { farm }) {
    const options = random.chance(0.5) ? { model: MODEL } : hostileOptions(random, 'stream');
    const run = (source: SourceCase): Promise<void> =>
      readAll(farm.encodeStream(hostileSource(random, source) as Loose, options as Loose));
    return { args: ['a source', options], run };
  },
  stream(random, { farm }) {
    const args = [hostileTexts(random), hostileOptions(random, 'stream')];
    return { args, run: () => readAll(farm.encodeStream(...(args as [Loose, Loose]))) };
  },
  'request.status': (random, user) => ofRequest(random, user, [], (handle) => handle.status()),
  'request.wait': (random, user) =>
    ofRequest(random, user, [hostileOptions(random, 'wait')], (handle, [options]) => handle.wait(options)),
  'request.result': (random, user) =>
    ofRequest(random, user, [hostileOptions(random, 'result')], (handle, [options]) =>
      handle.result(options),
    ),
  'request.rows': (random, user) =>
    ofRequest(random, user, [hostileOptions(random, 'rows')], (handle, [options]) =>
      readAll(handle.rows(options)),
    ),
  'request.chunks': (random, user) =>
    ofRequest(random, user, [hostileOptions(random, 'rows')], (handle, [options]) =>
      readAll(handle.chunks(options)),
    ),
  'request.cancel': (random, user) => ofRequest(random, user, [], (handle) => handle.cancel()),
  'request.discard': (random, user) => ofRequest(random, user, [], (handle) => handle.discard()),
  requests(random, { farm }) {
    const args = [hostileOptions(random, 'requests')];
    return { args, run: () => farm.requests(...(args as [Loose])) };
  },
  setWeight(random, { farm }) {
    const args = [random.chance(0.3) ? 'tenant' : hostileValue(random), hostileValue(random)];
    return { args, run: () => farm.setWeight(...(args as [Loose, Loose])) };
  },
  removeWeight(random, { farm }) {
    const args = [hostileValue(random)];
    return { args, run: () => farm.removeWeight(...(args as [Loose])) };
  },
  setLimits(random, { farm }) {
    const args = [hostileOptions(random, 'limits')];
    return { args, run: () => farm.setLimits(...(args as [Loose])) };
  },
  'status, weights, limits': (_, { farm }) => ({
    args: [],
    run: () => Promise.all([farm.status(), farm.weights(), farm.limits()]),
  }),
  connect(random, { redis }) {
    const options: Record<string, unknown> = { redis, timeoutMs: 300 };
    if (random.chance(0.5)) options[random.pick(['redis', 'prefix', 'timeoutMs'])] = hostileValue(random);
    const all = random.chance(0.2) ? hostileValue(random) : options;
    const args = random.chance(0.7)
      ? [all]
      : [all, random.pick([hostileValue(random), { signal: hostileValue(random) }])];
    const run = async (): Promise<void> => await (await EmbeddingFarm.connect(...(args as [Loose]))).close();
    return { args, run };
  },
  inMemory(random) {
    const args = [
      random.chance(0.5) ? { dimensions: hostileValue(random) } : hostileOptions(random, 'memory'),
    ];
    return { args, run: async () => await EmbeddingFarm.inMemory(...(args as [Loose])).close() };
  },
  embeddings(random, { farm }) {
    const args = [hostileValue(random)];
    const run = async (): Promise<unknown> => {
      const embeddings: AnyEmbeddings = await farm.encode(['a', 'b'], {
        model: MODEL,
        timeoutMs: LIMIT_MS / 2,
      });
      const [index] = args as [Loose];
      return [
        embeddings.has(index),
        embeddings.rowsOf(index),
        embeddings.at(index),
        embeddings.bytesAt(index),
      ];
    };
    return { args, run };
  },
};
const NAMES = Object.keys(CALLS);

/** One hostile call, whichever the number says. */
export function sdkCase(random: SeededRandom, user: SdkUser, kind: string): FuzzCase {
  const name = random.pick(NAMES);
  const call = CALLS[name]?.(random, user);
  if (!call) throw new RangeError(name);
  const { args, run } = call;
  const thrown = new Set<unknown>();
  const about = (): string => `${name}(${args.map(show).join(', ')})`;
  return {
    kind: `${kind} ${name}`,
    about,
    limitMs: LIMIT_MS,
    mustSucceed: name === 'encode good texts',
    // A stream hands on what its source has thrown.
    isOwn: (fault) => thrown.has(fault) || isOfSource(fault),
    async run() {
      const letGo = new AbortController();
      const timer = setTimeout(() => letGo.abort(), HANG_MS);
      try {
        return await run({ letGo: letGo.signal, thrown });
      } finally {
        clearTimeout(timer);
        letGo.abort();
      }
    },
  };
}

function hostileTexts(random: SeededRandom): unknown {
  if (random.chance(0.3)) return hostileValue(random);
  return Array.from({ length: random.pick([0, 1, 2, 5]) }, () =>
    random.chance(0.5) ? hostileString(random) : random.chance(0.5) ? 'good' : hostileValue(random),
  );
}

function ofRequest(
  random: SeededRandom,
  { farm, requestIds }: SdkUser,
  options: readonly unknown[],
  run: (handle: Loose, options: readonly unknown[]) => Promise<unknown>,
): Call {
  const known = requestIds.length > 0 && random.chance(0.5) ? random.pick(requestIds) : undefined;
  const id = known ?? random.pick([hostileValue(random), hostileString(random), '0-abc-1', 7]);
  return { args: [id, ...options], run: async () => await run(farm.request(id as Loose), options) };
}

/** Also the end of the filling must come, and be typed. */
async function fill({ id, filled }: SubmittedRequest, { requestIds }: SdkUser): Promise<void> {
  requestIds.push(id);
  if (requestIds.length > 100) requestIds.shift();
  await filled;
}

async function readAll(rows: AsyncIterable<unknown>): Promise<void> {
  let left = MAX_ROWS;
  for await (const _ of rows) {
    left -= 1;
    if (left === 0) return;
  }
}

/** What the engine throws in the middle of a source: at the `yield` of a proxy, which it asks for its `then`. */
function isOfSource(fault: unknown): boolean {
  if (!isNativeError(fault)) return false;
  return (fault.stack ?? '')
    .split('\n')
    .slice(1, 4)
    .some((frame) => frame.includes('hostile-sources'));
}
