import type { BoardSession } from '../src/board-shape.ts';
import { byId, find, write } from './elements.ts';

const DEADLINE_MS = 15_000;

interface Action {
  readonly title: string;
  readonly story: string;
  readonly yes: string;
}

const ACTIONS: Readonly<Record<string, Action>> = {
  cancel: {
    title: 'Cancel this request?',
    story: 'What waits of it is not encoded any more. The vectors that are there stay.',
    yes: 'Cancel the request',
  },
  retry: {
    title: 'Encode again what failed?',
    story: 'The chunks of it that failed go back to the queue.',
    yes: 'Retry',
  },
};

/** Asks before a request is cancelled or tried again, and says what came of it. */
export class RequestActions {
  readonly #dialog = byId('ask') as HTMLDialogElement;
  readonly #yes = find<HTMLButtonElement>('#ask-yes');
  readonly #no = find<HTMLButtonElement>('#ask-no');
  #asked: { readonly action: string; readonly requestId: string } | undefined;

  /** Listens to the buttons in the rows of this table. */
  constructor(table: HTMLTableElement) {
    table.addEventListener('click', ({ target }) => {
      const button = target instanceof Element ? target.closest<HTMLElement>('button[data-action]') : null;
      const requestId = button?.closest('tr')?.dataset['key'];
      if (button && requestId) this.#ask(button.dataset['action'] ?? '', requestId, rowName(button));
    });
    this.#yes.addEventListener('click', () => void this.#act());
    this.#no.addEventListener('click', () => this.#dialog.close());
  }

  #ask(action: string, requestId: string, name: string): void {
    const words = ACTIONS[action];
    if (!words) return;
    this.#asked = { action, requestId };
    write(byId('ask-title'), words.title);
    write(byId('ask-name'), name);
    write(byId('ask-story'), words.story);
    write(byId('ask-error'), '');
    write(this.#yes, words.yes);
    write(this.#no, action === 'cancel' ? 'Let it run' : 'Not now');
    this.#yes.disabled = false;
    this.#dialog.showModal();
    // The safe one first: Enter by habit cancels nothing.
    this.#no.focus();
  }

  async #act(): Promise<void> {
    if (!this.#asked) return;
    this.#yes.disabled = true;
    const { action, requestId } = this.#asked;
    try {
      const answer = await fetch(`api/requests/${encodeURIComponent(requestId)}/${action}`, {
        method: 'POST',
        headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
      if (!answer.ok) throw new Error(await refusal(answer));
      this.#dialog.close();
    } catch (error) {
      write(byId('ask-error'), error instanceof Error ? error.message : String(error));
      this.#yes.disabled = false;
    }
  }
}

/** What this viewer may do; nothing, where the server does not say. */
export async function readSession(): Promise<BoardSession> {
  try {
    const answer = await fetch('api/session', {
      signal: AbortSignal.timeout(DEADLINE_MS),
      cache: 'no-store',
    });
    if (answer.ok) return (await answer.json()) as BoardSession;
  } catch {
    // It is as if it had said no.
  }
  return { hasKey: false, canAct: false, queuesPath: '' };
}

async function refusal(answer: Response): Promise<string> {
  try {
    const { error } = (await answer.json()) as { error?: { message?: string } };
    if (error?.message) return error.message;
  } catch {
    // Some proxy's page.
  }
  return `The dashboard answered ${answer.status}.`;
}

function rowName(button: HTMLElement): string {
  return button.closest('tr')?.querySelector('th')?.firstChild?.textContent ?? '';
}
