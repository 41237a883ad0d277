// npm test: every test, against a real Redis.
import { build } from './build.mjs';
import { ensureInstall } from './ensure-install.mjs';
import { runTool } from './run-tool.mjs';
import { ensureSoftwareVulkan } from './software-vulkan.mjs';

ensureInstall();
build();
await ensureRedis();
// A minute at most, once: CI tests WebGPU, a laptop where it is asked to.
if ((process.env['EMBEDFARM_TEST_GPU'] || process.env['CI'] || '0') !== '0') ensureSoftwareVulkan();
process.exitCode = runTool('vitest/vitest.mjs', ['run', ...process.argv.slice(2)]);

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
