import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { FarmError } from '@embedfarm/contract';
import { Engine } from '@embedfarm/engine/engine';
import type { EngineOptions } from '@embedfarm/engine/engine-options';
import { compareRows, cosine, type RowComparison } from '../compare-rows.ts';
import { markdownTable } from '../markdown-table.ts';
import type { RunControl } from '../run-bench.ts';
import type { QualityOptions } from './quality-options.ts';
import { parseReferenceVectors } from './reference-vectors.ts';
import { parseScoredPairs } from './scored-pairs.ts';
import { spearman } from './spearman.ts';

type Line = readonly [what: string, value: string];

/**
 * A model's vectors beside a reference, beside its own in float32, and beside people's judgement.
 *
 * @returns Markdown.
 * @throws FarmError `invalid_argument` naming the file, and for a reference with longer vectors.
 */
export async function runQuality(options: QualityOptions, { signal, say }: RunControl): Promise<string> {
  const { model, dtype, reference, texts, sts } = options;
  if (reference === undefined && texts === undefined && sts === undefined) {
    throw new FarmError('invalid_argument', 'say what to compare with: --reference, --texts or --sts');
  }
  say(`opening ${model} in ${dtype}`);
  const encoder = await openEncoder(options, dtype, signal);
  try {
    const lines: Line[] = [];
    if (reference !== undefined) lines.push(...(await besideReference(encoder, reference)));
    if (texts !== undefined) lines.push(...(await besideFloat32(encoder, texts, options, signal)));
    if (sts !== undefined) lines.push(await besideScores(encoder, sts));
    return `${basename(resolve(model))}, ${dtype}\n\n${markdownTable(['what', 'measured'], lines)}\n`;
  } finally {
    await encoder.close();
  }
}

interface Encoder {
  encode(texts: readonly string[]): Promise<Float32Array[]>;
  close(): Promise<void>;
}

async function openEncoder(
  options: QualityOptions,
  dtype: QualityOptions['dtype'],
  signal: AbortSignal,
): Promise<Encoder> {
  const { model, devices, pooling, 'cache-dir': cacheDir, 'no-normalize': isRaw } = options;
  // float32 is the default.
  const wished: EngineOptions & { dtype?: 'int8' } = {
    model,
    devices,
    cacheDir,
    ...(isRaw && { normalize: false }),
    ...(pooling !== undefined && { pooling }),
    ...(dtype === 'int8' && { dtype }),
  };
  const engine = await Engine.open(wished, { signal });
  return {
    async encode(texts) {
      const { values, dimensions, failures } = await engine.encode(texts, {}, { signal, lane: 'bulk' });
      const [failure] = failures;
      if (failure !== undefined) throw new FarmError(failure.code, failure.message);
      return texts.map((_, row) => values.slice(row * dimensions, (row + 1) * dimensions));
    },
    close: () => engine.close(),
  };
}

async function besideReference(encoder: Encoder, file: string): Promise<Line[]> {
  const reference = await readParsed(file, parseReferenceVectors);
  const vectors = await encoder.encode(reference.map(({ text }) => text));
  // The reference first: where its vectors end early, only so many numbers are compared.
  const compared = compareRows(
    reference.map(({ embedding }) => embedding),
    vectors,
  );
  if (Number.isNaN(compared.minCosine)) {
    const [vector] = vectors;
    throw new FarmError('invalid_argument', `${file} has vectors of more than ${vector?.length} numbers`);
  }
  return comparisonLines(`${reference.length} reference vectors`, compared);
}

async function besideFloat32(
  encoder: Encoder,
  file: string,
  options: QualityOptions,
  signal: AbortSignal,
): Promise<Line[]> {
  const texts = await readParsed(file, (content) => content.split(/\r?\n/).filter((line) => line !== ''));
  const vectors = await encoder.encode(texts);
  const exact = await openEncoder(options, 'float32', signal);
  try {
    return comparisonLines(
      `${texts.length} texts in float32`,
      compareRows(await exact.encode(texts), vectors),
    );
  } finally {
    await exact.close();
  }
}

async function besideScores(encoder: Encoder, file: string): Promise<Line> {
  const pairs = await readParsed(file, parseScoredPairs);
  const vectors = await encoder.encode(pairs.flatMap(({ texts }) => texts));
  const cosines = pairs.map((_, pair) => cosine(vectors[2 * pair] ?? [], vectors[2 * pair + 1] ?? []));
  const scores = pairs.map(({ score }) => score);
  return [`Spearman of ${pairs.length} scored pairs`, spearman(cosines, scores).toFixed(4)];
}

function comparisonLines(what: string, { minCosine, meanCosine, maxDifference }: RowComparison): Line[] {
  return [
    [`least cosine to ${what}`, minCosine.toFixed(7)],
    [`mean cosine to ${what}`, meanCosine.toFixed(7)],
    [`largest difference to ${what}`, maxDifference.toExponential(2)],
  ];
}

async function readParsed<Parsed>(file: string, parse: (content: string) => Parsed): Promise<Parsed> {
  const content = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new FarmError('invalid_argument', `cannot read ${file}`, { cause });
  });
  try {
    return parse(content);
  } catch (cause) {
    if (!(cause instanceof FarmError)) throw cause;
    throw new FarmError(cause.code, `${file}: ${cause.detail}`, { cause });
  }
}
