import type { FarmErrorCode } from '@embedfarm/contract';
import type { BatchStore } from '@embedfarm/farm/batches';

/** Entries that are kept together. */
const PART_ENTRIES = 1_000;

/** A line whose texts are in its group's request, in the order of the lines. */
export type LineEntry = readonly [line: number, customId: string, texts: number, format: 'float' | 'base64'];
/** A line that cannot be run. */
export type RefusedEntry = readonly [line: number, customId: string, code: FarmErrorCode, message: string];

/** Of a group by its number, or of the lines that are refused. */
export type LineList = number | 'refused';
type EntryOf<List extends LineList> = List extends 'refused' ? RefusedEntry : LineEntry;

/** Where an index stands. One that was left half written by another gateway has another name. */
export interface IndexPlace {
  readonly batches: BatchStore;
  readonly batchId: string;
  readonly name: string;
}

/** Writes which lines of a batch are which texts. */
export class LineIndexWriter {
  readonly #place: IndexPlace;
  readonly #ttlMs: number;
  readonly #waiting = new Map<LineList, (LineEntry | RefusedEntry)[]>();
  readonly #parts = new Map<LineList, number>();

  constructor(place: IndexPlace, ttlMs: number) {
    this.#place = place;
    this.#ttlMs = ttlMs;
  }

  async add<List extends LineList>(list: List, entry: EntryOf<List>): Promise<void> {
    const entries = this.#waiting.get(list) ?? [];
    entries.push(entry);
    this.#waiting.set(list, entries);
    if (entries.length === PART_ENTRIES) await this.#put(list);
  }

  async end(): Promise<void> {
    for (const list of this.#waiting.keys()) await this.#put(list);
  }

  /** How many parts a list came to. */
  partsOf(list: LineList): number {
    return this.#parts.get(list) ?? 0;
  }

  async #put(list: LineList): Promise<void> {
    const entries = this.#waiting.get(list) ?? [];
    if (entries.length === 0) return;
    this.#waiting.set(list, []);
    const part = this.partsOf(list);
    this.#parts.set(list, part + 1);
    const { batches, batchId } = this.#place;
    await batches.putLines(batchId, partName(this.#place, list, part), JSON.stringify(entries), this.#ttlMs);
  }
}

/** @throws FarmError `result_expired` where they are gone. */
export async function* readLineIndex<List extends LineList>(
  place: IndexPlace,
  list: List,
  parts: number,
  signal: AbortSignal,
): AsyncGenerator<EntryOf<List>> {
  for (let part = 0; part < parts; part += 1) {
    const json = await place.batches.lines(place.batchId, partName(place, list, part), signal);
    // Written by a gateway, above.
    yield* JSON.parse(json) as EntryOf<List>[];
  }
}

function partName({ name }: IndexPlace, list: LineList, part: number): string {
  return `${name}:${list}:${part}`;
}
