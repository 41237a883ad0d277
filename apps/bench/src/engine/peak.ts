import { availableParallelism } from 'node:os';
import { BERT_SHAPES } from '@embedfarm/checkpoint/random-model';
import type { Shape } from '../bench-model.ts';
import { MeasuredProcess } from '../measured-process.ts';
import { median } from '../percentile.ts';
import type { ContenderCalls } from './contender-calls.ts';
import { openOurs } from './contenders.ts';
import { measuredTexts, warmUpTexts } from './interleave.ts';
import type { PeakCalls, PeakRequest } from './peak-process.ts';
import type { Measuring } from './speed.ts';

/** The machine's fastest product of matrices, and how much of it our engine's useful work is. */
export interface PeakResult {
  readonly shape: Shape;
  readonly threads: number;
  readonly matrices: MatrixSizes;
  /** All threads together; the median of the rounds. */
  readonly peakGflops: number;
  /** Linear layers alone, real tokens alone: 24 · hidden² · layers a token. */
  readonly usefulGflops: number;
  /** Of each round, then the median. */
  readonly share: number;
}

export type MatrixSizes = Pick<PeakRequest, 'rows' | 'inner' | 'outer'>;

const ROWS = [64, 128, 256, 384];
const MATRICES = [
  { inner: 384, outer: 1_536 },
  { inner: 512, outer: 512 },
  { inner: 768, outer: 3_072 },
  { inner: 1_024, outer: 1_024 },
];
const MAX_GRID_SECONDS = 0.3;

/** One turn of the machine's products, one of the engine in fp32 on the mix, in every round. */
export async function measurePeak(
  options: { shape: Shape; model: string; cacheDir: string; devices: string; tokensPerText: number },
  { rounds, seconds, seed, signal, say }: Measuring,
): Promise<PeakResult> {
  const { shape, tokensPerText, ...engine } = options;
  const threads = Number(/^cpu:(\d+)$/.exec(options.devices)?.[1] ?? availableParallelism());
  const machine = await MeasuredProcess.open('engine/peak', {}, signal);
  const ours = await openOurs(engine, 'fp32', signal).catch(async (thrown: unknown) => {
    await machine.close();
    throw thrown;
  });
  try {
    say(`${shape}: products of matrices on ${threads} threads`);
    const matrices = await bestMatrices(
      machine,
      { threads, seconds: Math.min(seconds, MAX_GRID_SECONDS) },
      signal,
    );
    const rate = await measureRate(ours, { texts: warmUpTexts('mix'), seed });
    const texts = measuredTexts('mix', undefined, rate * seconds);
    const gflopsPerText = (tokensPerText * flopsPerToken(shape)) / 1e9;
    const peaks: number[] = [];
    const useful: number[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      signal.throwIfAborted();
      peaks.push(await machine.call('peak', { ...matrices, threads, seconds: seconds / 2 }));
      useful.push(gflopsPerText * (await measureRate(ours, { texts, seed })));
      say(
        `${shape}, peak: round ${round} of ${rounds}: ${useful.at(-1)?.toFixed(0)} of ${peaks.at(-1)?.toFixed(0)} GFLOP/s`,
      );
    }
    const shares = useful.map((gflops, round) => gflops / (peaks[round] ?? Number.NaN));
    return {
      shape,
      threads,
      matrices,
      peakGflops: median(peaks),
      usefulGflops: median(useful),
      share: median(shares),
    };
  } finally {
    await Promise.all([machine.close(), ours.close()]);
  }
}

/** Of the linear layers: 12·hidden² weights a block (4 of attention, 8 of the feed-forward part), 2 each. */
function flopsPerToken(shape: Shape): number {
  const { hiddenSize, layers } = BERT_SHAPES[shape === 'base' ? 'bert-base' : shape];
  return 24 * hiddenSize ** 2 * layers;
}

async function bestMatrices(
  machine: MeasuredProcess<PeakCalls>,
  turn: { threads: number; seconds: number },
  signal: AbortSignal,
): Promise<MatrixSizes> {
  let best: { sizes: MatrixSizes; gflops: number } | undefined;
  for (const matrix of MATRICES) {
    for (const rows of ROWS) {
      signal.throwIfAborted();
      const sizes = { rows, ...matrix };
      const gflops = await machine.call('peak', { ...sizes, ...turn });
      if (gflops > (best?.gflops ?? 0)) best = { sizes, gflops };
    }
  }
  return best?.sizes ?? { rows: 256, inner: 768, outer: 3_072 };
}

/** Texts/s. */
async function measureRate(
  ours: MeasuredProcess<ContenderCalls>,
  { texts, seed }: { texts: number; seed: number },
): Promise<number> {
  const load = { workload: { name: 'mix', texts, seed }, callTexts: texts } as const;
  const { seconds } = await ours.call('measure', { load });
  return texts / seconds;
}
