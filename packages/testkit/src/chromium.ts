import { findCommand } from '@embedfarm/service/find-command';

/** The browser of tests: what EMBEDFARM_TEST_CHROMIUM names, else one of PATH; undefined where there is none. */
export async function findChromium(): Promise<string | undefined> {
  const named = process.env['EMBEDFARM_TEST_CHROMIUM'];
  if (named) return named;
  return await findCommand('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable');
}
