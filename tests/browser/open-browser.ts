import { findChromium } from '@embedfarm/testkit/chromium';
import { chromium, type Browser } from 'playwright-core';

const executablePath = await findChromium();

/** Where there is no browser the tests are skipped, and say so. */
export const HAS_BROWSER = executablePath !== undefined;
if (!HAS_BROWSER) {
  process.stderr.write(
    'SKIPPED: no Chromium in PATH, so nothing looks at the real page. Install one, name it in ' +
      'EMBEDFARM_TEST_CHROMIUM, or let `EMBEDFARM_TEST_BROWSER=1 npm test` install it (Debian, as root).\n',
  );
}

const LAUNCH_TIMEOUT_MS = 30_000;

/** A Chromium without a window. Its sandbox is off: root has none, and it sees this repository's page alone. */
export async function openBrowser(): Promise<Browser> {
  if (executablePath === undefined) throw new Error('there is no Chromium');
  return await chromium.launch({ executablePath, chromiumSandbox: false, timeout: LAUNCH_TIMEOUT_MS });
}
