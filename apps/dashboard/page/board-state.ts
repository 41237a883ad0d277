import type { BoardView } from './board-memory.ts';
import { byId, find, write } from './elements.ts';
import { sum } from './figures.ts';
import { bytes, shortNumber } from './numerals.ts';

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

/** What the page as a whole has to say: live or not, and loudly where nobody works. */
export class BoardState {
  readonly #pill = byId('state');
  readonly #noWorker = byId('no-worker');
  readonly #room = byId('room');

  show(view: BoardView): void {
    const { redis, redisSinceMs, status } = view;
    if (redis === 'up') this.#set('live', 'Live');
    else {
      const rest = status ? 'The last known state is shown; this' : 'This';
      this.#set(
        'redis-down',
        `Redis does not answer since ${clock.format(redisSinceMs)}. ${rest} page goes on by itself.`,
      );
    }
    this.#showNoWorker(view);
    if (status) write(this.#room, roomText(status.admission));
  }

  showLost(): void {
    this.#set('lost', 'No connection to the dashboard. Trying again…');
  }

  #set(live: 'live' | 'redis-down' | 'lost', text: string): void {
    document.documentElement.dataset['live'] = live;
    write(this.#pill, text);
  }

  #showNoWorker({ redis, status, waiting }: BoardView): void {
    const isNeeded = redis === 'up' && status !== null && status.aliveWorkers === 0;
    if (isNeeded) {
      const texts = waiting ? sum([waiting.interactive.texts, waiting.bulk.texts]) : 0;
      const rest =
        texts > 0 ? `${shortNumber(texts)} texts wait for one.` : 'What is sent now waits for one.';
      write(find('span', this.#noWorker), rest);
    }
    // An alert speaks when it comes.
    if (this.#noWorker.hidden === isNeeded) this.#noWorker.hidden = !isNeeded;
  }
}

/** How much of what the farm may hold it holds. */
function roomText({
  texts,
  maxTexts,
  bytes: held,
  maxBytes,
  memory,
}: NonNullable<BoardView['status']>['admission']): string {
  return `The farm holds ${shortNumber(texts)} of ${shortNumber(maxTexts)} texts and ${bytes(held)} of ${bytes(maxBytes)}; Redis uses ${bytes(memory.usedBytes)} of ${bytes(memory.maxBytes)}.`;
}
