import { FarmError } from '@embedfarm/contract';
import type { EmbeddingFarm, SubmittedRequest } from '@embedfarm/sdk';
import { FakeEncoder } from '@embedfarm/testkit/fake-encoder';
import type { Browser, Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BoardFarm } from './board-farm.ts';
import { BoardPage } from './board-page.ts';
import { HAS_BROWSER, openBrowser } from './open-browser.ts';
import { readFlaws } from './page-controls.ts';

const KEY = 'the-key-of-this-board';
const TEXTS = ['one', 'two', 'three'];

describe.skipIf(!HAS_BROWSER)('a board with a key', () => {
  let farm: BoardFarm;
  let browser: Browser;
  let board: BoardPage;
  let client: EmbeddingFarm;
  let waiting: SubmittedRequest;
  let failed: SubmittedRequest;

  beforeAll(async () => {
    [farm, browser] = await Promise.all([BoardFarm.open({ key: KEY }), openBrowser()]);
    client = await farm.openClient();
    const encoder = new FakeEncoder();
    const worker = await farm.openWorker(encoder);
    // The chunk fails as a whole, so its texts are kept.
    encoder.failNext(new FarmError('invalid_argument', 'told to fail'));
    failed = await client.submit(TEXTS, { label: 'told to fail' });
    await failed.wait();
    await worker.close();
    waiting = await client.submit(TEXTS, { label: 'to be cancelled' });
    board = await BoardPage.open(browser, farm.url);
  });
  afterAll(async () => {
    await browser?.close();
    await farm?.close();
  });

  it('shows nothing to who has not signed in', async () => {
    const { page } = board;
    expect(await page.locator('[data-figure]').count()).toBe(0);
    expect(await page.getByRole('button').count()).toBe(1);
    expect(await page.getByText(/wrong/iu).first().isVisible()).toBe(false);
    expect(await page.evaluate(readFlaws)).toEqual([]);
    expect(await answerTo('api/board')).toBe(401);
    expect(await answerTo(`api/requests/${waiting.id}/cancel`, { method: 'POST' })).toBe(401);
    expect((await waiting.status()).state).toBe('queued');
  });

  it('says that a key is wrong', async () => {
    await signIn('another key');
    await board.page.getByText(/wrong/iu).first().waitFor();
    expect(await board.page.locator('[data-figure]').count()).toBe(0);
  });

  it('opens for who has the key', async () => {
    await signIn(KEY);
    await board.untilLive('live');
    await board.untilRows('requests', [waiting.id, failed.id]);
    await board.untilState('requests', failed.id, 'failed');
    expect(await board.page.locator('[data-action]').count()).toBe(2);
  });

  it('cancels a request for who says yes, and not for who says no', async () => {
    const cancel = button(waiting, 'cancel');
    const dialog = board.page.getByRole('dialog');
    await cancel.click();
    await dialog.getByText('to be cancelled').waitFor();
    await dialog.getByRole('button', { name: 'Let it run' }).click();
    await dialog.waitFor({ state: 'hidden' });
    expect((await waiting.status()).state).toBe('queued');

    await cancel.click();
    await dialog.getByRole('button', { name: 'Cancel the request' }).click();
    await board.untilState('requests', waiting.id, 'cancelled');
    expect((await waiting.status()).state).toBe('cancelled');
    await cancel.waitFor({ state: 'detached' });
  });

  it('submits again what failed', async () => {
    const before = await board.keys('requests');
    await button(failed, 'retry').click();
    await board.page.getByRole('dialog').getByRole('button', { name: 'Retry' }).click();
    const [retried] = await board.untilNewRows('requests', before);
    await farm.openWorker();
    await board.untilState('requests', retried as string, 'completed');
    expect((await client.request(retried as string).status()).done).toBe(TEXTS.length);
    expect(board.watched.faults).toEqual([]);
  });

  it('shows the jobs of the queues, and asks nobody else for anything', async () => {
    const { page, watched } = board;
    await page.goto(`${farm.url}/queues/`);
    await page.getByText('fake-bulk').first().waitFor();
    await page.getByText('fake-interactive').first().waitFor();
    expect([...watched.origins]).toEqual([farm.url]);
    expect(watched.faults).toEqual([]);
  });

  it('does nothing for a page of somebody else', async () => {
    const foreign = {
      method: 'POST',
      headers: { Origin: 'http://evil.example', Authorization: `Bearer ${KEY}` },
    };
    expect(await answerTo(`api/requests/${failed.id}/cancel`, foreign)).toBe(403);
  });

  async function signIn(key: string): Promise<void> {
    const { page } = board;
    await page.locator('input[type="password"]').fill(key);
    await page.keyboard.press('Enter');
  }

  function button({ id }: SubmittedRequest, action: string): Locator {
    return board.row('requests', id).locator(`button[data-action="${action}"]`);
  }

  async function answerTo(path: string, init: RequestInit = {}): Promise<number> {
    const headers = { 'Content-Type': 'application/json', ...(init.headers as Record<string, string>) };
    const signal = AbortSignal.timeout(10_000);
    return (await fetch(`${farm.url}/${path}`, { ...init, headers, signal })).status;
  }
});

describe.skipIf(!HAS_BROWSER)('a board without a key', () => {
  it('lets anybody look, and nobody act', async () => {
    const [farm, browser] = await Promise.all([BoardFarm.open(), openBrowser()]);
    try {
      await farm.registerModel();
      const client = await farm.openClient();
      const { id } = await client.submit(TEXTS);
      const board = await BoardPage.open(browser, farm.url);
      await board.untilRows('requests', [id]);
      await board.page
        .getByText(/read only/iu)
        .first()
        .waitFor();
      expect(await board.page.locator('[data-action]').count()).toBe(0);
      // As the page itself would ask.
      const status = await board.page.evaluate(async (request) => {
        const headers = { 'Content-Type': 'application/json' };
        return (await fetch(`api/requests/${request}/cancel`, { method: 'POST', headers, body: '{}' }))
          .status;
      }, id);
      expect(status).toBe(403);
      expect((await client.request(id).status()).state).toBe('queued');
    } finally {
      await browser.close();
      await farm.close();
    }
  });
});
