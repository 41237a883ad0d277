import type { FarmStatus } from '@embedfarm/farm/inspect';

export type WorkerStatus = FarmStatus['workers'][number];
export type SeenWorker = Omit<WorkerStatus, 'state'> & { readonly state: WorkerStatus['state'] | 'silent' };

/** Two heartbeats of 5 s were missed. */
const SILENT_AFTER_MS = 11_000;
/** Redis forgets a worker 15 s after its last heartbeat; here it stays for so long. */
const KEPT_MS = 5 * 60_000;
/** A longer pause between two looks is one of the board or of Redis: nobody could be heard in it. */
const PAUSE_MS = 5_000;
/** Most that are told of as lost: a farm that was stopped by force needs no longer list. */
const MAX_GONE = 100;

interface Heard {
  readonly worker: WorkerStatus;
  readonly atMs: number;
}

/**
 * Tells workers that went from workers that were lost. One that is told to stop takes its leave while it is still heard
 * of, and goes quietly; one that was running and is heard of no more stays, as silent.
 */
export class SilentWorkers {
  #heard = new Map<string, Heard>();
  #lookedAtMs: number | undefined;

  /** `nowMs`: of this machine's clock. Those alive in their order, then those that are gone. */
  hear(workers: readonly WorkerStatus[], nowMs: number): readonly SeenWorker[] {
    this.#forgive(nowMs);
    const alive = new Set(workers.map(({ workerId }) => workerId));
    const gone: SeenWorker[] = [];
    for (const [workerId, { worker, atMs }] of this.#heard) {
      if (alive.has(workerId)) continue;
      const lastSeenMs = worker.lastSeenMs + nowMs - atMs;
      if (worker.state !== 'running' || nowMs - atMs > KEPT_MS || gone.length >= MAX_GONE) {
        this.#heard.delete(workerId);
      } else if (lastSeenMs > SILENT_AFTER_MS) {
        gone.push({ ...worker, ...STILL, state: 'silent', lastSeenMs });
      }
    }
    for (const worker of workers) this.#heard.set(worker.workerId, { worker, atMs: nowMs });
    return [
      ...workers.map((worker): SeenWorker =>
        worker.lastSeenMs > SILENT_AFTER_MS ? { ...worker, state: 'silent' } : worker,
      ),
      ...gone,
    ];
  }

  /** What lies between two looks is nobody's silence. */
  #forgive(nowMs: number): void {
    const pauseMs = nowMs - (this.#lookedAtMs ?? nowMs);
    this.#lookedAtMs = nowMs;
    if (pauseMs >= 0 && pauseMs <= PAUSE_MS) return;
    this.#heard = new Map(
      [...this.#heard].map(([id, { worker, atMs }]) => [id, { worker, atMs: atMs + pauseMs }]),
    );
  }
}

/** What a worker that is gone does not do any more. */
const STILL = { textsPerSecond: 0, tokensPerSecond: 0, waitingTexts: 0 };
