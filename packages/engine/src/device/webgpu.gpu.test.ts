import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkOpenHandles } from '@embedfarm/testkit/open-handles';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from '../engine.ts';

checkOpenHandles();

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const ENGINE = new URL('../../dist/engine.js', import.meta.url).href;
const VULKAN = join(ROOT, '.embedfarm', 'software-vulkan');
// Where the loader stands is read when a process starts, so all of this runs in processes of its own.
const IS_INSIDE = process.env['EMBEDFARM_TEST_WEBGPU'] === '1';

let cacheDir: string;
beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'webgpu-'));
});
afterAll(() => rm(cacheDir, { recursive: true, force: true }));

describe.skipIf(IS_INSIDE)('WebGPU', () => {
  it('runs the model, keeps the promises of a device, and ends cleanly', async ({ skip }) => {
    const probe = await run('--input-type=module', '-e', PROBE, ENGINE, cacheDir);
    if (probe.output.includes(NO_ADAPTER)) {
      const reason = `no adapter (EMBEDFARM_TEST_GPU=1 npm test fetches a software one): ${probe.output.trim()}`;
      console.warn(`webgpu.gpu.test.ts is skipped: ${reason}`);
      skip(reason);
    }
    expect(probe).toEqual({ code: 0, output: 'closed\n' });
    const files = ['webgpu.gpu.test.ts', 'device-conformance.test.ts'];
    const { code, output } = await run(
      join(ROOT, 'node_modules/vitest/vitest.mjs'),
      'run',
      ...files.map((file) => join('packages/engine/src/device', file)),
    );
    expect(code, output).toBe(0);
  }, 400_000);
});

const NO_ADAPTER = 'finds no adapter';

/** An engine that opens, encodes and closes, and a process that then has nothing left to wait for. */
const PROBE = `
  const [, engine, cacheDir] = process.argv;
  const { Engine } = await import(engine);
  try {
    const opened = await Engine.open({ devices: 'webgpu', cacheDir });
    await opened.encode(['First do it', 'then do it right']);
    await opened.close();
    console.log('closed');
  } catch (error) {
    console.log(error.message);
  }
`;

function run(...args: string[]): Promise<{ code: unknown; output: string }> {
  const software = existsSync(VULKAN)
    ? { VK_ICD_FILENAMES: join(VULKAN, 'vk_swiftshader_icd.json'), LD_LIBRARY_PATH: VULKAN }
    : {};
  const env = { ...process.env, ...software, EMBEDFARM_TEST_WEBGPU: '1', NO_COLOR: '1' };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: ROOT, env, timeout: 300_000 }, (error, stdout) => {
      resolve({ code: error ? (error.code ?? error.signal) : 0, output: stdout });
    });
  });
}

describe.runIf(IS_INSIDE)('An Engine on webgpu', () => {
  const texts = ['First do it', 'then do it right', 'river '.repeat(40), '', 'the river of time'];

  it.each(['webgpu', 'cpu:1,webgpu'])('gives the vectors of the cpu within 1e-5, as %s', async (devices) => {
    const [cpu, engine] = [
      await Engine.open({ cacheDir, devices: 'cpu:1' }),
      await Engine.open({ cacheDir, devices }),
    ];
    const expected = await cpu.encode(texts);
    for (let round = 0; round < 3; round += 1) {
      const { values, failures } = await engine.encode(texts);
      expect(failures).toEqual([]);
      const differences = values.map((value, at) => Math.abs(value - (expected.values[at] ?? Number.NaN)));
      expect(Math.max(...differences)).toBeLessThan(1e-5);
    }
    expect(engine.deviceReports().at(-1)).toMatchObject({ name: 'webgpu', provider: 'webgpu' });
    await Promise.all([cpu.close(), engine.close()]);
  });
});
