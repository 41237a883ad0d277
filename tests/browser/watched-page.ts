/// <reference lib="dom" />
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

/** What Chromium logs of an answer of 400 and above; the page itself says what it means. */
const REFUSED = /^Failed to load resource/u;

/** A page with all that goes wrong on it written down, and every address that it asked. */
export class WatchedPage {
  readonly page: Page;
  /** Errors and warnings of the console, exceptions, violations of the content security policy, dialogs. */
  readonly faults: string[] = [];
  /** Origins of all requests. */
  readonly origins = new Set<string>();

  private constructor(page: Page) {
    this.page = page;
    page.on('console', (message) => {
      if (!['error', 'warning'].includes(message.type()) || REFUSED.test(message.text())) return;
      this.faults.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.faults.push(`exception: ${error.stack ?? error.message}`));
    page.on('dialog', (dialog) => {
      this.faults.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => this.origins.add(new URL(request.url()).origin));
  }

  static async open(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    const watched = new WatchedPage(page);
    await page.exposeFunction('tellViolation', (violation: string) => watched.faults.push(violation));
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
        const { tellViolation } = globalThis as unknown as { tellViolation: (violation: string) => void };
        tellViolation(`policy: ${violatedDirective} ${blockedURI}`);
      });
    });
    return watched;
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}
