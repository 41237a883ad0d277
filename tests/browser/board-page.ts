/// <reference lib="dom" />
import { eventually } from '@embedfarm/testkit/eventually';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { WatchedPage } from './watched-page.ts';

const PATIENCE_MS = 10_000;

export type LiveState = 'live' | 'redis-down' | 'lost';

/** The dashboard as a person has it, by the names that its parts have for this. */
export class BoardPage {
  readonly watched: WatchedPage;

  private constructor(watched: WatchedPage) {
    this.watched = watched;
  }

  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<BoardPage> {
    const board = new BoardPage(await WatchedPage.open(browser, options));
    await board.page.goto(url, { waitUntil: 'load' });
    return board;
  }

  get page(): Page {
    return this.watched.page;
  }

  /** A figure's number as it is, not as it is written; NaN where there is none. */
  async figure(name: string): Promise<number> {
    const value = await this.page.locator(`[data-figure="${name}"]`).getAttribute('data-value');
    return value === null || value === '' ? Number.NaN : Number(value);
  }

  /** Waits until the figure is this number. @throws Error naming what it is instead. */
  async untilFigure(name: string, value: number, timeoutMs = PATIENCE_MS): Promise<void> {
    const wanted = this.page.locator(`[data-figure="${name}"][data-value="${value}"]`);
    await wanted.waitFor({ state: 'attached', timeout: timeoutMs }).catch(async (cause: unknown) => {
      const got = await this.figure(name);
      throw new Error(`the figure ${name} is ${got}, not ${value}, after ${timeoutMs} ms`, { cause });
    });
  }

  /** Waits until the figure is a number for which this holds. */
  async untilFigureIs(
    name: string,
    check: (value: number) => boolean,
    timeoutMs = PATIENCE_MS,
  ): Promise<number> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const value = await this.figure(name);
      if (check(value)) return value;
      if (performance.now() > deadlineMs)
        throw new Error(`the figure ${name} is ${value} after ${timeoutMs} ms`);
      // The next frame; nothing changes between two.
      await this.page.evaluate(() => new Promise(requestAnimationFrame));
    }
  }

  async untilLive(state: LiveState, timeoutMs = PATIENCE_MS): Promise<void> {
    await this.page.locator(`html[data-live="${state}"]`).waitFor({ state: 'attached', timeout: timeoutMs });
  }

  /** Puts the system into light or dark, until nothing fades from the one to the other any more. */
  async setScheme(colorScheme: 'light' | 'dark'): Promise<void> {
    await this.page.emulateMedia({ colorScheme });
    await this.page.evaluate(async () => {
      const fading = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
      await Promise.allSettled(fading.map(({ finished }) => finished));
    });
  }

  row(table: string, key: string): Locator {
    return this.page.locator(`[data-table="${table}"] [data-key=${JSON.stringify(key)}]`);
  }

  /** Waits until the table has exactly these rows, in any order. */
  async untilRows(table: string, keys: readonly string[], timeoutMs = PATIENCE_MS): Promise<void> {
    const read = { table, keys: keys.toSorted().join('\n') };
    const isThere = ({ table: name, keys: wanted }: typeof read) => {
      const rows = document.querySelectorAll<HTMLElement>(`[data-table="${name}"] [data-key]`);
      return (
        [...rows]
          .map((row) => row.dataset['key'] ?? '')
          .toSorted()
          .join('\n') === wanted
      );
    };
    await this.page.waitForFunction(isThere, read, { timeout: timeoutMs }).catch(async (cause: unknown) => {
      const got = await this.keys(table);
      throw new Error(`${table} has ${JSON.stringify(got)} after ${timeoutMs} ms`, { cause });
    });
  }

  /** Waits until the table has rows that it did not have. @returns their keys. */
  async untilNewRows(table: string, before: readonly string[]): Promise<string[]> {
    const what = `a new row of ${table}`;
    return await eventually(
      async () => {
        const fresh = (await this.keys(table)).filter((key) => !before.includes(key));
        return fresh.length > 0 ? fresh : undefined;
      },
      { timeoutMs: PATIENCE_MS, what },
    );
  }

  async keys(table: string): Promise<string[]> {
    const rows = await this.page.locator(`[data-table="${table}"] [data-key]`).all();
    return Promise.all(rows.map(async (row) => (await row.getAttribute('data-key')) ?? ''));
  }

  /** Waits until the row says that it is in this state. */
  async untilState(table: string, key: string, state: string, timeoutMs = PATIENCE_MS): Promise<void> {
    const row = this.row(table, key).and(this.page.locator(`[data-state="${state}"]`));
    await row.waitFor({ state: 'attached', timeout: timeoutMs });
  }

  /** Writes down every state that the row is in from now on. @returns what gives them, in their order. */
  async watchStates(table: string, key: string): Promise<() => Promise<string[]>> {
    const watching = await this.row(table, key).evaluateHandle(
      (first, row) => {
        const states = [first.getAttribute('data-state') ?? ''];
        const look = () => {
          const state = document.querySelector(row)?.getAttribute('data-state');
          if (typeof state === 'string' && state !== states.at(-1)) states.push(state);
        };
        new MutationObserver(look).observe(document, { attributes: true, childList: true, subtree: true });
        return states;
      },
      `[data-table="${table}"] [data-key=${JSON.stringify(key)}]`,
    );
    return () => watching.jsonValue();
  }

  async close(): Promise<void> {
    await this.watched.close();
  }
}
