import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { MemoryEncoder, MemoryProducer } from '@embedfarm/farm/memory';
import { FarmWorker } from '@embedfarm/farm/worker';
import { openGateway, type RunningGateway } from '@embedfarm/gateway/gateway';
import { readApiKeys } from '@embedfarm/gateway/keys/api-keys';
import { eventually } from '@embedfarm/testkit/eventually';
import { openTestRedis, type TestRedis } from '@embedfarm/testkit/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGE = await readFile(join(ROOT, 'docs/gateway.md'), 'utf8');
const MODEL = 'all-MiniLM-L6-v2';

let redis: TestRedis;
let worker: FarmWorker;
let gateway: RunningGateway;
let scratch: string;
beforeAll(async () => {
  redis = await openTestRedis();
  const { registration } = new MemoryProducer({ dimensions: 384, model: MODEL });
  worker = await FarmWorker.open(registration, new MemoryEncoder(registration), { redis: redis.url });
  gateway = await openGateway({ redis: redis.url, port: 0 });
  await eventually(async () => (await fetch(`${gateway.url}/readyz`)).status === 200);
  // Inside the repository, where a package of it can be imported by name.
  scratch = join(ROOT, '.embedfarm', `gateway-page-${process.pid}`);
  await mkdir(scratch, { recursive: true });
});
afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
  await gateway.close();
  await worker.close();
  await redis.close();
});

/** Its blocks of a language, with the address of the gateway that runs here. */
function blocks(language: string): string[] {
  const found = PAGE.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, 'g'));
  return Array.from(found, ([, text = '']) => text.replaceAll('http://127.0.0.1:8080', gateway.url));
}

describe('docs/gateway.md', () => {
  it("has a program of OpenAI's client that works", async () => {
    const [program = ''] = blocks('js');
    const file = join(scratch, 'program.mjs');
    await writeFile(
      file,
      `${program}\nconsole.log(data.length, data[0].embedding.length, usage.prompt_tokens);\n`,
    );
    const { stdout } = await run(process.execPath, [file]);
    expect(stdout).toBe('2 384 11\n');
  });

  it('has a command that gets bytes', async () => {
    const command = blocks('sh').find((text) => text.includes('curl')) ?? '';
    await run('sh', ['-c', command], { cwd: scratch });
    expect(await readFile(join(scratch, 'vectors.f32'))).toHaveLength(2 * 384 * 4);
  });

  it('has keys that are keys', () => {
    const [keys = ''] = blocks('json');
    expect(readApiKeys(keys).map(({ name }) => name)).toEqual(['web', 'import']);
  });
});
