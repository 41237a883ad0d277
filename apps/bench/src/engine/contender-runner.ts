import { workloadTexts } from '../workload.ts';
import type { ContenderCalls, ContenderLoad, Measured } from './contender-calls.ts';
import { readMemory } from './read-memory.ts';

export type ContenderRequest = {
  [Kind in keyof ContenderCalls]: { kind: Kind } & ContenderCalls[Kind]['request'];
}[keyof ContenderCalls];

/** Texts → all their vectors, one after the other; both contenders give them as one block. */
export type EncodeTexts = (texts: readonly string[]) => Promise<Float32Array>;

/** Puts loads on the encoder of its own process. */
export class ContenderRunner {
  readonly #encode: EncodeTexts;
  #texts: { key: string; texts: readonly string[] } | undefined;

  constructor(encode: EncodeTexts) {
    this.#encode = encode;
  }

  async handle(request: ContenderRequest): Promise<ContenderCalls[keyof ContenderCalls]['answer']> {
    switch (request.kind) {
      case 'ready':
        return null;
      case 'measure':
        return this.#measure(request.load);
      case 'vectors':
        return this.#vectors(request.texts);
      case 'memory':
        return readMemory();
    }
  }

  async #measure({ workload, callTexts }: ContenderLoad): Promise<Measured> {
    const texts = this.#textsOf(workload);
    const cpu = process.cpuUsage();
    const beginMs = performance.now();
    for (let from = 0; from < texts.length; from += callTexts) {
      await this.#encode(texts.slice(from, from + callTexts));
    }
    const seconds = (performance.now() - beginMs) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    return { seconds, cpuSeconds: (user + system) / 1e6 };
  }

  async #vectors(texts: readonly string[]): Promise<number[][]> {
    const rows: number[][] = [];
    for (const text of texts) rows.push(Array.from(await this.#encode([text])));
    return rows;
  }

  /** Made before the clock runs, and kept for the next round. */
  #textsOf(workload: ContenderLoad['workload']): readonly string[] {
    const key = JSON.stringify(workload);
    if (this.#texts?.key !== key) this.#texts = { key, texts: workloadTexts(workload) };
    return this.#texts.texts;
  }
}
