// npm test: every test, against a real Redis.
import { build } from './build.mjs';
import { ensureChromium } from './chromium.mjs';
import { ensureInstall } from './ensure-install.mjs';
import { runTool } from './run-tool.mjs';
import { ensureSoftwareVulkan } from './software-vulkan.mjs';

ensureInstall();
build();
await ensureRedis();
// A minute at most, once: CI tests WebGPU, a laptop where it is asked to.
if (isAskedFor('EMBEDFARM_TEST_GPU')) ensureSoftwareVulkan();
// Half a minute, once; five on a slow line.
if (isAskedFor('EMBEDFARM_TEST_BROWSER')) ensureChromium();
process.exitCode = runTool('vitest/vitest.mjs', ['run', ...process.argv.slice(2)]);

function isAskedFor(variable) {
  return (process.env[variable] || process.env['CI'] || '0') !== '0';
}

/** One Redis is opened first: what installs or pulls it happens once, and a machine without one hears why. */
async function ensureRedis() {
  const { openTestRedis } = await import('../packages/testkit/dist/redis.js');
  try {
    await (await openTestRedis()).close();
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
