import type { AnyEmbeddings } from '@embedfarm/sdk';

const SHOWN_ROWS = 10;
const SHOWN_VALUES = 4;
const SHOWN_CHARACTERS = 28;

/** Shape, first values and timing, for eyes. */
export function embeddingsTable(texts: readonly string[], embeddings: AnyEmbeddings): string {
  const { model, dtype, rows, dimensions, timing } = embeddings;
  const what = dtype === 'float32' ? '' : ` of ${dtype}`;
  const lines = [
    `${rows} ${rows === 1 ? 'text' : 'texts'} × ${dimensions} dimensions${what}, model ${model}`,
  ];
  for (let index = 0; index < Math.min(rows, SHOWN_ROWS); index += 1) {
    lines.push(
      `  ${shorten(texts[index] ?? '').padEnd(SHOWN_CHARACTERS + 2)}  ${outcome(embeddings, index)}`,
    );
  }
  const shown = embeddings.tokens?.slice(0, SHOWN_ROWS) ?? [];
  lines.push(...shown.map((tokens) => `  ${tokens.join(' ')}`));
  if (rows > SHOWN_ROWS) lines.push(`  … and ${rows - SHOWN_ROWS} more (--json has them all)`);
  const times = [
    `queue ${ms(timing.queueMs)}`,
    `tokenize ${ms(timing.tokenizeMs)}`,
    `batch wait ${ms(timing.batchWaitMs)}`,
    `device ${ms(timing.deviceMs)}`,
    `total ${ms(timing.totalMs)}`,
  ];
  lines.push(times.join(', '));
  return lines.join('\n');
}

function outcome(embeddings: AnyEmbeddings, index: number): string {
  if (!embeddings.has(index)) {
    const failure = embeddings.failures.find((failed) => failed.index === index);
    return `[${failure?.code}] ${failure?.message}`;
  }
  const vector = embeddings.at(index);
  const isFloat = vector instanceof Float32Array;
  const show = (value: number): string =>
    isFloat ? value.toFixed(6).padStart(9) : String(value).padStart(4);
  const values = Array.from(vector.subarray(0, SHOWN_VALUES), show);
  const receipt = embeddings.receipts[index];
  const tokens = `${receipt?.tokens} tokens${receipt?.truncated ? ', truncated' : ''}`;
  return `[${values.join(', ')}${vector.length > SHOWN_VALUES ? ', …' : ''}]  ${tokens}`;
}

function shorten(text: string): string {
  const shown = JSON.stringify(text);
  return shown.length <= SHOWN_CHARACTERS + 2 ? shown : `${shown.slice(0, SHOWN_CHARACTERS)}…"`;
}

function ms(duration: number): string {
  return `${duration.toFixed(1)} ms`;
}
