import { setTimeout as delay } from 'node:timers/promises';
import type { RunPlan } from './failure-row.ts';

/** Vectors are small and travel in the reply, or large and are fetched from the result: the seed decides. */
export function dimensionsOf(plan: RunPlan): number {
  return plan.between(0, 1) < 0.5 ? 20 : 96;
}

/** A call of thousands is bulk, and a worker holds two of its chunks; an interactive one puts many into its hands. */
export function laneOf(plan: RunPlan): { readonly lane?: 'interactive' } {
  return plan.between(0, 1) < 0.5 ? {} : { lane: 'interactive' };
}

/** So slow that one device takes this long for the run's texts. */
export function msPerTextFor(plan: RunPlan, deviceMs: number): number {
  return deviceMs / plan.texts;
}

/** `onProgress` of a call, and the moment when a share of its texts is done and a little more time has passed. */
export function middleOf(
  plan: RunPlan,
  [from, to]: readonly [number, number] = [0.1, 0.6],
): { onProgress: (progress: { done: number; total: number }) => void; reached: Promise<void> } {
  const share = plan.between(from, to);
  const moreMs = plan.between(0, 120);
  let reach: () => void;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  return {
    onProgress: ({ done, total }) => {
      if (done >= share * total) reach();
    },
    reached: reached.then(() => delay(moreMs)),
  };
}
