import type { ChainableCommander } from 'ioredis';

/**
 * The answers of a pipeline; undefined for a key that somebody put another type under by hand.
 *
 * @throws Error what else a command failed with, as a lost connection.
 */
export async function calmAnswers(pipeline: ChainableCommander): Promise<unknown[]> {
  const answers = (await pipeline.exec()) ?? [];
  return answers.map(([fault, answer]) => {
    if (fault && !fault.message.startsWith('WRONGTYPE')) throw fault;
    return fault ? undefined : answer;
  });
}
