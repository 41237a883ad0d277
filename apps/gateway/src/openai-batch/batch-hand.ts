import type { BatchStore, HeldBatch } from '@embedfarm/farm/batches';
import type { FileStore } from '@embedfarm/farm/files';
import type { FarmLink } from '../farm-link.ts';
import { readBatchRecord, recordTtlMs, type BatchGroup, type BatchRecord } from './batch-record.ts';
import type { IndexPlace } from './line-index.ts';

export interface BatchPorts {
  readonly files: FileStore;
  readonly batches: BatchStore;
  readonly link: FarmLink;
  /** Takes texts off what the key of that name may take. @throws FarmError `overloaded`. */
  readonly chargeKey: (name: string, texts: number, signal: AbortSignal) => Promise<void>;
}

/** A batch that this gateway has in hand. */
export class BatchHand {
  readonly batch: HeldBatch;
  readonly ports: BatchPorts;
  /** Aborts where another has it, or this gateway is closing. */
  readonly signal: AbortSignal;
  /** Aborts also where it is to be cancelled, or its time is over. */
  readonly stop: AbortSignal;
  #record: BatchRecord;

  constructor(batch: HeldBatch, ports: BatchPorts, signals: { signal: AbortSignal; stop: AbortSignal }) {
    this.batch = batch;
    this.ports = ports;
    this.signal = signals.signal;
    this.stop = signals.stop;
    this.#record = readBatchRecord(batch);
  }

  get record(): BatchRecord {
    return this.#record;
  }

  get files(): FileStore {
    return this.ports.files;
  }

  get owner(): string {
    return this.batch.owner;
  }

  get index(): IndexPlace {
    return { batches: this.ports.batches, batchId: this.batch.id, name: this.#record.index ?? '' };
  }

  /** When its time is over, in ms from when it was taken. */
  get leftMs(): number {
    const { createdAtMs, nowMs } = this.batch;
    return Math.max(0, createdAtMs + this.#record.windowMs - nowMs);
  }

  change(change: Partial<BatchRecord>): void {
    this.#record = { ...this.#record, ...change };
  }

  changeGroup(at: number, change: Partial<BatchGroup>): void {
    const groups = this.#record.groups.map((group, index) =>
      index === at ? { ...group, ...change } : group,
    );
    this.change({ groups });
  }

  async charge(texts: number): Promise<void> {
    if (this.owner !== '') await this.ports.chargeKey(this.owner, texts, this.stop);
  }

  /** @throws FarmError `cancelled` where another has it. */
  async save(next: number | 'held' | 'ended' = 'held'): Promise<void> {
    const record = JSON.stringify(this.#record);
    await this.ports.batches.put(this.batch, { record, ttlMs: recordTtlMs(this.#record), next });
  }
}
