import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { FarmWorker } from '@embedfarm/farm/worker';
import { EmbeddingFarm } from '@embedfarm/sdk';
import { eventually } from '@embedfarm/testkit/eventually';
import { FakeEncoder, fakeRegistration, fakeVector } from '@embedfarm/testkit/fake-encoder';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CommandLine, gather } from '../apps/cli/src/testing/command-line.ts';
import { batchLine, BatchClient } from '../apps/gateway/src/testing/batch-client.ts';

const LINES = 2_000;
/** A lease of 15 s runs out, and a request that nobody fills is taken back. */
const LIMIT_MS = 90_000;

let line: CommandLine;
let worker: FarmWorker;
let farm: EmbeddingFarm;
const encoder = new FakeEncoder();
beforeAll(async () => {
  line = await CommandLine.open();
  worker = await FarmWorker.open(fakeRegistration(), encoder, { redis: line.redis.url });
  farm = await EmbeddingFarm.connect({ redis: line.redis.url });
});
afterAll(async () => {
  await farm.close();
  await worker.close();
  await line.close();
});

async function startGateway(): Promise<{ gateway: ChildProcess; client: BatchClient }> {
  const gateway = line.start(['gateway', '--port', '0'], { EMBEDFARM_LOG_LEVEL: 'warn' });
  const stdout = gather(gateway.stdout);
  const [, url = ''] = await eventually(() => /^Gateway: (\S+)$/m.exec(stdout()), { what: 'its URL' });
  await eventually(async () => (await fetch(`${url}/readyz`)).status === 200);
  return { gateway, client: new BatchClient(url) };
}

it(
  'a batch whose gateway is killed while it hands texts over is taken up by another, and comes out whole',
  async () => {
    // So little room that the request cannot be filled before the kill.
    await farm.setLimits({ texts: 600 });
    encoder.hold();
    const { gateway, client } = await startGateway();
    const input = Array.from({ length: LINES }, (_, at) =>
      batchLine(`${at}`, { model: 'fake', input: `${at}` }),
    );
    const { id } = await client.create(input.join(''));
    await eventually(async () => (await farm.requests({ label: id }))[0]?.state === 'filling');
    gateway.kill('SIGKILL');
    await once(gateway, 'exit');
    encoder.release();
    const heir = await startGateway();
    const batch = await eventually(
      async () => {
        const now = await heir.client.openai.batches.retrieve(id);
        return now.status === 'completed' ? now : undefined;
      },
      { timeoutMs: LIMIT_MS, what: 'the end of the batch' },
    );
    expect(batch.request_counts).toEqual({ total: LINES, completed: LINES, failed: 0 });
    const output = await heir.client.lines(batch.output_file_id);
    expect(output.map(({ custom_id }) => custom_id)).toEqual(input.map((_, at) => `${at}`));
    for (const { custom_id, response } of output) {
      expect(response?.body.data[0].embedding).toEqual(fakeVector(custom_id));
    }
    const requests = await farm.requests({ label: id });
    expect(requests.filter(({ state }) => state === 'completed')).toHaveLength(1);
    expect(requests.filter(({ endedAtMs }) => endedAtMs === undefined)).toEqual([]);
  },
  2 * LIMIT_MS,
);
