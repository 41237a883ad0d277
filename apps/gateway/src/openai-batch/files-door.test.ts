import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { redisKeys } from '@embedfarm/contract';
import { callRedis } from '@embedfarm/testkit/call-redis';
import { eventually } from '@embedfarm/testkit/eventually';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BatchClient } from '../testing/batch-client.ts';
import { TestGateway } from '../testing/test-gateway.ts';

let test: TestGateway;
const keys = redisKeys();
beforeAll(async () => {
  test = await TestGateway.open();
});
afterEach(async () => {
  await test.rest();
  await redis('FLUSHDB');
});
afterAll(async () => {
  await test.close();
});

const redis = (command: string, ...args: (string | number)[]) => callRedis(test.redis.url, command, ...args);

/** Bytes that Redis keeps of files, by its own count. */
async function heldBytes(): Promise<number> {
  return Number(await redis('HGET', keys.heldFileBytes, ''));
}

function form(parts: Record<string, string | Blob>): RequestInit {
  const body = new FormData();
  for (const [name, part] of Object.entries(parts)) {
    if (typeof part === 'string') body.append(name, part);
    else body.append(name, part, 'input.jsonl');
  }
  return { method: 'POST', body };
}

const FILE = new Blob(['{}\n']);
const HALF_FILE = '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf';

describe('POST /v1/files', () => {
  it('keeps bytes in slices as they come, and gives them back as they were', async () => {
    await test.openGateway();
    const { openai } = new BatchClient(test.url);
    const bytes = Buffer.alloc(1_000_000, 'All work and no play.\r\n--x\r\n');
    const file = await openai.files.create({ file: new File([bytes], '../a "b".jsonl'), purpose: 'batch' });
    expect(file).toMatchObject({ bytes: 1_000_000, purpose: 'batch', status: 'processed' });
    expect(file.filename).not.toContain('/');
    const back = Buffer.from(await (await openai.files.content(file.id)).arrayBuffer());
    expect(back.equals(bytes)).toBe(true);
    expect(await redis('HLEN', keys.fileSlices(file.id))).toBe(4);
    expect(await redis('PTTL', keys.fileSlices(file.id))).toBeGreaterThan(86_000_000);
    expect(await heldBytes()).toBe(1_000_000);
    await openai.files.delete(file.id);
    expect(await heldBytes()).toBe(0);
    expect(await redis('EXISTS', keys.fileSlices(file.id))).toBe(0);
  });

  it.each<[string, RequestInit, number, string]>([
    ['another purpose', form({ purpose: 'fine-tune', file: FILE }), 400, 'purpose'],
    ['no purpose', form({ file: FILE }), 400, 'purpose'],
    ['no file', form({ purpose: 'batch' }), 400, 'file is missing'],
    ['two files', form({ purpose: 'batch', other: FILE, file: FILE }), 400, 'another as "other"'],
    ['too long a life', form({ purpose: 'batch', file: FILE, ...expiry('3000000') }), 400, 'expires_after'],
    ['a field that is none', form({ purpose: 'batch', file: FILE, extra: '1' }), 400, 'extra'],
    ['no form', { method: 'POST', body: '{}' }, 400, 'multipart/form-data'],
    ['no boundary', raw('multipart/form-data', 'x'), 400, 'boundary'],
    ['half a form', raw('multipart/form-data; boundary=x', '--x\r\nContent-Dispo'), 400, 'malformed'],
    ['half a file', raw('multipart/form-data; boundary=x', HALF_FILE), 400, 'malformed'],
    ['too large a file', form({ purpose: 'batch', file: new Blob(['x'.repeat(600_001)]) }), 413, '600000'],
  ])('refuses %s, and keeps nothing of it', async (_, init, status, message) => {
    await test.openGateway({ maxFileBytes: 600_000 });
    const answer = await fetch(`${test.url}/v1/files`, init);
    const { error } = (await answer.json()) as { error: { message: string; type: string } };
    expect(error.message).toContain(message);
    expect([answer.status, error.type]).toEqual([status, 'invalid_request_error']);
    const names = (await redis('KEYS', '*file*')) as string[];
    expect(names.filter((name) => name !== keys.heldFileBytes)).toEqual([]);
    expect(await heldBytes()).toBe(0);
  });

  it('tells those beyond what all files may have to come back, and takes more when some are gone', async () => {
    await test.openGateway({ maxFilesBytes: 500_000 });
    const { openai } = new BatchClient(test.url);
    const create = () =>
      openai.files.create({ file: new File(['x'.repeat(300_000)], 'a'), purpose: 'batch' });
    const { id } = await create();
    await expect(create()).rejects.toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
    // Redis lets it go at its time; its room is given back by the next that asks.
    await redis('DEL', keys.file(id), keys.fileSlices(id));
    await redis('ZADD', keys.heldFiles, 1, id);
    await create();
    expect(await heldBytes()).toBe(300_000);
  });

  it('lets go of what came of a caller who is gone', async () => {
    await test.openGateway();
    const { hostname, port } = new URL(test.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.write(
      'POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 9000000\r\n\r\n' +
        HALF_FILE +
        'y'.repeat(600_000),
    );
    await eventually(async () => (await heldBytes()) >= 262_144, { what: 'a slice of it' });
    socket.destroy();
    const left = await eventually(
      async () => ((await heldBytes()) === 0 ? ((await redis('KEYS', '*slices*')) as string[]) : undefined),
      { what: 'nothing of it' },
    );
    expect(left).toEqual([]);
  });
});

describe('files and batches of a key', () => {
  it('are there for nobody else', async () => {
    const sha256 = (key: string) => createHash('sha256').update(key).digest('hex');
    await test.openGateway({
      keys: [
        { name: 'mine', sha256: sha256('mine') },
        { name: 'other', sha256: sha256('other') },
      ],
    });
    const [mine, other] = [new BatchClient(test.url, 'mine'), new BatchClient(test.url, 'other')];
    const { id, input_file_id: file } = await mine.create('no call\n');
    await mine.until(id, 'failed');
    for (const asked of [
      () => other.openai.files.retrieve(file),
      () => other.openai.files.content(file),
      () => other.openai.files.delete(file),
      () => other.openai.batches.retrieve(id),
      () => other.openai.batches.cancel(id),
    ]) {
      await expect(asked()).rejects.toMatchObject({ status: 404 });
    }
    expect((await other.openai.files.list()).data).toEqual([]);
    expect((await other.openai.batches.list()).data).toEqual([]);
    expect((await mine.openai.files.list()).data).toHaveLength(1);
    await expect(
      other.openai.batches.create({
        input_file_id: file,
        endpoint: '/v1/embeddings',
        completion_window: '24h',
      }),
    ).rejects.toMatchObject({ status: 400 });
  });
});

function expiry(seconds: string): Record<string, string> {
  return { 'expires_after[anchor]': 'created_at', 'expires_after[seconds]': seconds };
}

function raw(type: string, body: string): RequestInit {
  return { method: 'POST', body, headers: { 'Content-Type': type } };
}
