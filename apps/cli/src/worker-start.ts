import {
  FarmError,
  modelRegistrationSchema,
  parseFarmErrorCode,
  type ModelRegistration,
} from '@embedfarm/contract';

/** What a worker tells the process that started it: it takes texts, or why it never will. */
export type WorkerStart = ModelRegistration | FarmError;

/** @returns false where nobody listens. */
export async function tellStart(start: WorkerStart): Promise<boolean> {
  if (process.send === undefined || !process.connected) return false;
  const message =
    start instanceof FarmError
      ? { workerFault: { code: start.code, detail: start.detail } }
      : { workerReady: start };
  return new Promise((resolve) => {
    process.send?.(message, (error: Error | null) => resolve(error === null));
  });
}

/** @returns undefined where the message is another one. */
export function parseStart(message: unknown): WorkerStart | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  if ('workerReady' in message) return modelRegistrationSchema.safeParse(message.workerReady).data;
  if ('workerFault' in message) {
    const { code, detail } = message.workerFault as Record<string, unknown>;
    return new FarmError(parseFarmErrorCode(code), String(detail));
  }
  return undefined;
}
