import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { findChromium } from './chromium.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

it('finds a browser in PATH, the one that is named before it, and none where there is none', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'embedfarm-chromium-'));
  vi.stubEnv('EMBEDFARM_TEST_CHROMIUM', '');
  vi.stubEnv('PATH', folder);
  expect(await findChromium()).toBeUndefined();
  const command = join(folder, 'google-chrome');
  await writeFile(command, '');
  await chmod(command, 0o755);
  expect(await findChromium()).toBe(command);
  vi.stubEnv('EMBEDFARM_TEST_CHROMIUM', '/opt/chromium');
  expect(await findChromium()).toBe('/opt/chromium');
  await rm(folder, { recursive: true });
});
