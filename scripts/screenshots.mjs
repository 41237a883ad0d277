// npm run screenshots: the pictures of the dashboard in the README, of a real farm under a load of a minute.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { build } from './build.mjs';
import { ensureChromium, findChromium } from './chromium.mjs';
import { ensureInstall } from './ensure-install.mjs';
import { ROOT } from './run-tool.mjs';

const FOLDER = join(ROOT, 'docs/images');
const SCHEMES = ['light', 'dark'];
const SIZE = { width: 1_280, height: 900 };
const MAX_BYTES = 300_000;
const WORKERS = 2;
const READY_MS = 60_000;
/** Of the embedded model, on a core of 2024; it decides how long the bulk requests take. */
const TEXTS_PER_SECOND = 1_000;

const seconds = Number(process.argv[2] ?? 90);
if (!(seconds >= 10))
  throw new Error(`usage: npm run screenshots [-- SECONDS], at least 10; got ${process.argv[2]}`);

ensureInstall();
build();
ensureChromium();
if (findChromium() === undefined) process.exit(1);
await takePictures();

async function takePictures() {
  const { openTestRedis } = await import('@embedfarm/testkit/redis');
  const { openDashboard } = await import('@embedfarm/dashboard/dashboard');
  const { runLoad } = await import('./screenshot-load.mjs');
  const redis = await openTestRedis();
  const workers = [];
  const load = new AbortController();
  let working = Promise.resolve();
  const dashboard = await openDashboard({ redis: redis.url, port: 0 });
  try {
    workers.push(await startWorker(redis.url));
    console.log(`A farm works for ${seconds} s …`);
    working = runLoad({
      redis: redis.url,
      seconds,
      bulkTexts: seconds * TEXTS_PER_SECOND,
      signal: load.signal,
    });
    // One worker, then two: what more of them bring is on the page too.
    await during(working, (seconds * 1_000) / 3);
    while (workers.length < WORKERS) workers.push(await startWorker(redis.url));
    await during(working, (seconds * 2_000) / 3);
    await photograph(dashboard.url);
  } finally {
    load.abort();
    await working.catch(console.error);
    await Promise.all(workers.map(stop));
    await dashboard.close();
    await redis.close();
  }
}

/** Waits so long, or fails when the load does. */
async function during(working, ms) {
  await Promise.race([delay(ms), working.then(() => Promise.reject(new Error('the load ended')))]);
}

async function photograph(url) {
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({ executablePath: findChromium() });
  try {
    mkdirSync(FOLDER, { recursive: true });
    for (const colorScheme of SCHEMES) {
      const context = await browser.newContext({
        viewport: SIZE,
        deviceScaleFactor: 2,
        colorScheme,
        reducedMotion: 'reduce',
      });
      const page = await context.newPage();
      page.on('pageerror', (error) => console.error(error));
      await page.goto(url);
      await untilDrawn(page);
      const file = join(FOLDER, `dashboard-${colorScheme}.webp`);
      writeFileSync(file, await capture(await context.newCDPSession(page), await heightOf(page)));
      console.log(`${file}: ${Math.round(statSync(file).size / 1_000)} KB`);
      await context.close();
    }
  } finally {
    await browser.close();
  }
}

/** Live, every chart drawn. */
async function untilDrawn(page) {
  await page.locator('html[data-live="live"]').waitFor({ state: 'attached' });
  const charts = await page.locator('[data-chart]').all();
  if (charts.length === 0) throw new Error('the page has no chart');
  await page
    .locator('[data-chart]:not([data-ready])')
    .first()
    .waitFor({ state: 'detached' })
    .catch(async () => {
      const names = await page
        .locator('[data-chart]:not([data-ready])')
        .evaluateAll((blank) => blank.map(({ dataset }) => dataset.chart));
      throw new Error(`not drawn: ${names.join(', ')}`);
    });
  // Two frames: the one that is under way, and one after it.
  await page.evaluate(
    () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))),
  );
}

async function heightOf(page) {
  return await page.evaluate(() => document.documentElement.scrollHeight);
}

/** As fine as the size allows. */
async function capture(session, height) {
  for (const quality of [90, 80, 70, 60, 50, 40]) {
    const { data } = await session.send('Page.captureScreenshot', {
      format: 'webp',
      quality,
      captureBeyondViewport: true,
      clip: { x: 0, y: 0, width: SIZE.width, height, scale: 1 },
    });
    const picture = Buffer.from(data, 'base64');
    if (picture.length <= MAX_BYTES) return picture;
  }
  throw new Error(`a picture of the page does not fit ${MAX_BYTES} bytes`);
}

/** A worker of the embedded model that takes texts. */
async function startWorker(redis) {
  const command = join(ROOT, 'apps/cli/bin/embedfarm.js');
  const worker = spawn(process.execPath, [command, 'worker', '--devices', 'cpu:1', '--redis', redis], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(worker, 'exit').then(() => undefined);
  const told = once(worker, 'message', { signal: AbortSignal.timeout(READY_MS) });
  const [message] = (await Promise.race([told, ended])) ?? [];
  if (!message?.workerReady)
    throw new Error(`a worker does not start: ${JSON.stringify(message?.workerFault)}`);
  return worker;
}

async function stop(worker) {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  const exit = once(worker, 'exit');
  worker.kill('SIGTERM');
  await exit;
}
