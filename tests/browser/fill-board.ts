import { eventually } from '@embedfarm/testkit/eventually';
import type { BoardFarm } from './board-farm.ts';

/** The one text that the encoder of tests fails. */
const BAD_TEXT = 'bad text';

/** What a farm was given, so that every table of the page has rows. */
export interface FilledBoard {
  /** A request with all its vectors, and one of whose texts some have failed. */
  readonly done: string;
  readonly failed: string;
  /** One that waits: its model has no worker any more. */
  readonly waiting: string;
  readonly clientId: string;
}

/** Two requests that end, one with failures, calls that end, and a request that waits at the end. */
export async function fillBoard(farm: BoardFarm, words = 'reindex'): Promise<FilledBoard> {
  const worker = await farm.openWorker();
  const client = await farm.openClient({ name: words.slice(0, 64) });
  const texts = Array.from({ length: 300 }, (_, index) => `${words} ${index}`);
  const done = await client.submit(texts, { label: words });
  const failed = await client.submit([words, BAD_TEXT, words], { label: `${words}, in part` });
  await client.encode(texts.slice(0, 20));
  await done.wait();
  await failed.wait();
  await worker.close();
  const waiting = await client.submit(texts, { label: `${words}, later` });
  await eventually(async () => (await farm.waitingTexts('fake', 'bulk')) === texts.length);
  return { done: done.id, failed: failed.id, waiting: waiting.id, clientId: client.clientId };
}
