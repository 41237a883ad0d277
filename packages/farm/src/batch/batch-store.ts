import { randomUUID } from 'node:crypto';
import { FarmError } from '@embedfarm/contract';
import { z } from 'zod';
import { cancelScript, claimScript, createScript, putScript, renewScript } from './batch-scripts.ts';
import { StoreLink } from './store-link.ts';

/** Whoever works on a batch and is not heard of for so long is dead: another takes it up. */
export const BATCH_LEASE_MS = 15_000;
const MAX_OPEN_BATCHES = 100;
const MAX_BATCHES = 2_000;

const batchSchema = z.object({
  owner: z.string(),
  /** What those who work on it have come to, as JSON. */
  record: z.string(),
  createdAtMs: z.coerce.number(),
  cancellingAtMs: z.coerce.number().optional(),
});
/** Times are Redis time in ms since 1970. */
export type KeptBatch = z.output<typeof batchSchema> & { readonly id: string };

/** A batch in the hands of one process. */
export interface HeldBatch extends KeptBatch {
  readonly holder: string;
  /** When it was taken. */
  readonly nowMs: number;
}

export interface BatchPut {
  readonly record: string;
  readonly ttlMs: number;
  /** When it is to be looked after again; `held` while its holder goes on, `ended` for never. */
  readonly next: number | 'held' | 'ended';
}

/** Batches in Redis: any process may take one up, and one at a time has it. */
export class BatchStore {
  readonly #link: StoreLink;

  private constructor(link: StoreLink) {
    this.#link = link;
  }

  static open(place: { redis: string; prefix?: string | undefined }): BatchStore {
    return new BatchStore(new StoreLink(place));
  }

  /** @throws FarmError `overloaded` where this owner has 100 that have not ended. */
  async create(owner: string, record: string, ttlMs: number): Promise<KeptBatch> {
    const { redis, keys } = this.#link;
    const id = `batch_${randomUUID().replaceAll('-', '')}`;
    const names = [keys.batch(id), keys.dueBatches, keys.batches(owner), keys.openBatches(owner)];
    const args = [id, owner, record, ttlMs, MAX_OPEN_BATCHES, MAX_BATCHES];
    const createdAtMs = Number(await this.#link.ask(createScript.run(redis, names, args)));
    if (createdAtMs >= 0) return { id, owner, record, createdAtMs };
    throw new FarmError('overloaded', `${MAX_OPEN_BATCHES} batches have not ended, the limit`, {
      retryAfterMs: 60_000,
    });
  }

  /** @returns undefined where this owner has no such batch (any more). */
  async find(owner: string, id: string): Promise<KeptBatch | undefined> {
    const { redis, keys } = this.#link;
    const batch = toBatch(id, await this.#link.ask(redis.hgetall(keys.batch(id))));
    return batch?.owner === owner ? batch : undefined;
  }

  /** An owner's batches, the newest first. */
  async list(owner: string): Promise<KeptBatch[]> {
    const { redis, keys } = this.#link;
    const ids = await this.#link.ask(redis.zrevrange(keys.batches(owner), 0, MAX_BATCHES - 1));
    const answers = await Promise.all(ids.map((id) => this.#link.ask(redis.hgetall(keys.batch(id)))));
    return ids.flatMap((id, index) => toBatch(id, answers[index] ?? {}) ?? []);
  }

  /** Says that it is to be cancelled. @returns false where it has ended. */
  async cancel(id: string): Promise<boolean> {
    const { redis, keys } = this.#link;
    return (await this.#link.ask(cancelScript.run(redis, [keys.batch(id), keys.dueBatches], [id]))) === 1;
  }

  /** The one that is due first. @returns undefined where none is. */
  async claim({ signal }: { signal?: AbortSignal } = {}): Promise<HeldBatch | undefined> {
    const { redis, keys } = this.#link;
    const holder = randomUUID();
    const args = [holder, BATCH_LEASE_MS, keys.batchPrefix];
    const claiming = claimScript.run(redis, [keys.dueBatches], args);
    const answer = (await this.#link.ask(claiming, { signal })) as string[];
    const [id, nowMs, ...fields] = answer;
    if (id === undefined) return undefined;
    const pairs = fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1] ?? '']] : []));
    const batch = toBatch(id, Object.fromEntries(pairs) as Record<string, string>);
    return batch && { ...batch, holder, nowMs: Number(nowMs) };
  }

  /** @returns what its holder has to know: that it is another's now, or is to be cancelled. */
  async renew({ id, holder }: HeldBatch): Promise<'held' | 'cancelling' | 'lost'> {
    const { redis, keys } = this.#link;
    const args = [id, holder, BATCH_LEASE_MS];
    const answer = await this.#link.ask(renewScript.run(redis, [keys.batch(id), keys.dueBatches], args));
    return answer === -1 ? 'lost' : answer === 1 ? 'cancelling' : 'held';
  }

  /** @throws FarmError `cancelled` where it is another's by now. */
  async put({ id, holder, owner }: HeldBatch, { record, ttlMs, next }: BatchPut): Promise<void> {
    const { redis, keys } = this.#link;
    const due = next === 'held' ? -1 : next === 'ended' ? -2 : next;
    const names = [keys.batch(id), keys.dueBatches, keys.openBatches(owner), keys.batchLines(id)];
    const isHeld = await this.#link.ask(putScript.run(redis, names, [id, holder, record, ttlMs, due]));
    if (isHeld !== 1) throw new FarmError('cancelled', `batch ${id} was taken up by another gateway`);
  }

  /** Lines of a batch under a name of their holder's; they go with the batch. */
  async putLines(id: string, name: string, lines: string, ttlMs: number): Promise<void> {
    const { redis, keys } = this.#link;
    const key = keys.batchLines(id);
    await this.#link.ask(redis.multi().hset(key, name, lines).pexpire(key, ttlMs).exec());
  }

  /** @throws FarmError `result_expired` where they are gone. */
  async lines(id: string, name: string, signal?: AbortSignal): Promise<string> {
    const { redis, keys } = this.#link;
    const lines = await this.#link.ask(redis.hget(keys.batchLines(id), name), { signal });
    if (lines === null) throw new FarmError('result_expired', `the lines of batch ${id} are gone`);
    return lines;
  }

  close(): void {
    this.#link.close();
  }
}

/** Nothing where there is none, or another put something else there. */
function toBatch(id: string, fields: Record<string, string>): KeptBatch | undefined {
  const parsed = batchSchema.safeParse(fields);
  return parsed.success ? { id, ...parsed.data } : undefined;
}
