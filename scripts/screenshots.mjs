// npm run screenshots: the pictures of the dashboard in the README, of a real farm under a load of five minutes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { build } from './build.mjs';
import { ensureChromium, findChromium } from './chromium.mjs';
import { ensureInstall } from './ensure-install.mjs';
import { ROOT } from './run-tool.mjs';

const FOLDER = join(ROOT, 'docs/images');
const SCHEMES = ['light', 'dark'];
const WIDTH = 1_280;
/** Pixels of the picture to one of the page. */
const SCALE = 2;
/** More than the page has: charts that are out of sight are not drawn. */
const ALL_OF_IT = 5_000;
const MAX_BYTES = 300_000;
const WORKERS = 2;
const READY_MS = 60_000;
/** Of the embedded model, on a core of 2024; it decides how long the bulk requests take. */
const TEXTS_PER_SECOND = 1_000;

// The charts show five minutes.
const seconds = Number(process.argv[2] ?? 300);
if (!(seconds >= 10)) {
  console.error(`usage: npm run screenshots [-- SECONDS], at least 10; got ${process.argv[2]}`);
  process.exit(2);
}

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
    await storeCurves(redis.url);
    workers.push(await startWorker(redis.url));
    console.log(`A farm works for ${seconds} s: ${dashboard.url}`);
    const bulkTexts = seconds * TEXTS_PER_SECOND;
    working = runLoad({ redis: redis.url, seconds, bulkTexts, signal: load.signal });
    // One worker, then two: what more of them bring is on the page too.
    await during(working, seconds / 4);
    while (workers.length < WORKERS) workers.push(await startWorker(redis.url));
    await during(working, (3 * seconds) / 4);
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
async function during(working, waitSeconds) {
  const ended = working.then(() => Promise.reject(new Error('the load ended')));
  await Promise.race([delay(waitSeconds * 1_000), ended]);
}

/** What the benchmarks measured, where it is in docs/benchmarks. */
async function storeCurves(redis) {
  const files = ['by-clients', 'by-workers'].map((name) => join(ROOT, `docs/benchmarks/${name}.json`));
  const reports = files
    .filter((file) => existsSync(file))
    .map((file) => JSON.parse(readFileSync(file, 'utf8')));
  if (reports.length === 0) return;
  const { benchCurveOf } = await import('../apps/bench/dist/sweep/bench-curve-of.js');
  const { BenchCurveStore } = await import('@embedfarm/farm/bench-curves');
  const store = await BenchCurveStore.open({ redis });
  await store.put(reports.flatMap(({ curves }) => curves.flatMap((curve) => benchCurveOf(curve) ?? [])));
  store.close();
}

async function photograph(url) {
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({ executablePath: findChromium() });
  try {
    mkdirSync(FOLDER, { recursive: true });
    for (const colorScheme of SCHEMES) {
      const context = await browser.newContext({
        viewport: { width: WIDTH, height: ALL_OF_IT },
        deviceScaleFactor: SCALE,
        colorScheme,
        reducedMotion: 'reduce',
      });
      const page = await context.newPage();
      page.on('pageerror', (error) => console.error(error));
      await page.goto(url);
      await untilDrawn(page);
      await page.setViewportSize({ width: WIDTH, height: await shownHeight(page) });
      await nextFrames(page);
      const file = join(FOLDER, `dashboard-${colorScheme}.webp`);
      writeFileSync(file, await toWebp(browser, await page.screenshot()));
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
  const blank = page.locator('[data-chart]:not([data-ready])');
  if ((await page.locator('[data-chart]').count()) === 0) throw new Error('the page has no chart');
  await blank
    .first()
    .waitFor({ state: 'detached' })
    .catch(async () => {
      const names = await blank.evaluateAll((charts) => charts.map(({ dataset }) => dataset.chart));
      throw new Error(`not drawn: ${names.join(', ')}`);
    });
  await nextFrames(page);
}

/** The one that is under way, and one after it. */
async function nextFrames(page) {
  await page.evaluate(
    () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))),
  );
}

/** Figures, charts and workers; the tables below them are long. */
async function shownHeight(page) {
  const workers = page.locator('section', { has: page.locator('[data-table="workers"]') }).last();
  const { y, height } = await workers.boundingBox();
  const marginPx = 12;
  return Math.ceil(y + height) + marginPx;
}

/** As fine as the size allows. Chromium itself gives WebP only of a page at one pixel a pixel. */
async function toWebp(browser, png) {
  const page = await browser.newPage();
  try {
    for (const quality of [0.9, 0.8, 0.7, 0.6, 0.5]) {
      const picture = Buffer.from(
        await page.evaluate(encodeWebp, [png.toString('base64'), quality]),
        'base64',
      );
      if (picture.length <= MAX_BYTES) return picture;
    }
  } finally {
    await page.close();
  }
  throw new Error(`a picture of the page does not fit ${MAX_BYTES} bytes`);
}

/** Runs in a page. */
async function encodeWebp([png, quality]) {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  canvas.getContext('2d').drawImage(image, 0, 0);
  return canvas.toDataURL('image/webp', quality).split(',', 2)[1];
}

/** A worker of the embedded model that takes texts. */
async function startWorker(redis) {
  const command = join(ROOT, 'apps/cli/bin/embedfarm.js');
  const worker = spawn(process.execPath, [command, 'worker', '--devices', 'cpu:1', '--redis', redis], {
    env: { ...process.env, EMBEDFARM_LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(worker, 'exit').then(() => undefined);
  const told = once(worker, 'message', { signal: AbortSignal.timeout(READY_MS) });
  const [message] = (await Promise.race([told, ended])) ?? [];
  if (!message?.workerReady) {
    throw new Error(`a worker does not start: ${JSON.stringify(message?.workerFault)}`);
  }
  return worker;
}

async function stop(worker) {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  const exit = once(worker, 'exit');
  worker.kill('SIGTERM');
  await exit;
}
