// npm test: every test, against a real Redis.
import { build } from './build.mjs';
import { ensureInstall } from './ensure-install.mjs';
import { runTool } from './run-tool.mjs';

ensureInstall();
build();
await ensureRedis();
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
