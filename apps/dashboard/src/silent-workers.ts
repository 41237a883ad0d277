import type { BoardEvent } from '../src/board-shape.ts';

export type WorkerStatus = NonNullable<BoardEvent['status']>['workers'][number];
export type SeenWorker = Omit<WorkerStatus, 'state'> & { readonly state: WorkerStatus['state'] | 'silent' };

/** Two heartbeats of 5 s were missed. */
const SILENT_AFTER_MS = 11_000;
/** The server forgets a worker 15 s after its last heartbeat; here its row stays for so long. */
const KEPT_MS = 5 * 60_000;

/**
 * Tells workers that went from workers that were lost. One that is told to stop takes its leave while it is still heard
 * of, and goes quietly; one that was running and is heard of no more stays, as silent.
 */
export class SilentWorkers {
  readonly #heard = new Map<string, { readonly worker: WorkerStatus; readonly atMs: number }>();

  /** `nowMs`: the server's clock. Those alive in their order, then those that are gone. */
  hear(workers: readonly WorkerStatus[], nowMs: number): readonly SeenWorker[] {
    const alive = new Set(workers.map(({ workerId }) => workerId));
    const gone: SeenWorker[] = [];
    for (const [workerId, { worker, atMs }] of this.#heard) {
      if (alive.has(workerId)) continue;
      const lastSeenMs = worker.lastSeenMs + nowMs - atMs;
      if (worker.state === 'running' && lastSeenMs > SILENT_AFTER_MS && nowMs - atMs <= KEPT_MS) {
        gone.push({ ...worker, ...STILL, state: 'silent', lastSeenMs });
      } else this.#heard.delete(workerId);
    }
    for (const worker of workers) this.#heard.set(worker.workerId, { worker, atMs: nowMs });
    return [
      ...workers.map((worker): SeenWorker =>
        worker.lastSeenMs > SILENT_AFTER_MS ? { ...worker, state: 'silent' } : worker,
      ),
      ...gone,
    ];
  }
}

/** What a worker that is gone does not do any more. */
const STILL = { textsPerSecond: 0, tokensPerSecond: 0, waitingTexts: 0 };
