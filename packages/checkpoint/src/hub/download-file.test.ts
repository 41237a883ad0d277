import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { downloadFile } from './download-file.ts';
import { hastyPace, HubServer, MODEL, send, sendStart, sha, type Answer } from './hub-server.fixture.ts';
import type { HubFile } from './hub-listing.ts';
import { Hub } from './hub.ts';
import { storageError } from '../stored.ts';

const NAME = 'model.safetensors';
const CONTENT = randomBytes(300_000);
const ETAG = `"${sha('sha256', CONTENT)}"`;
const HALF = 150_000;

let directory: string;
let target: string;
let server: HubServer;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'embedfarm-hub-'));
  target = join(directory, NAME);
  server = await HubServer.open({ [NAME]: CONTENT, 'config.json': '{"small": true}', empty: '' });
});
afterEach(async () => {
  await server.close();
  await rm(directory, { recursive: true });
});

interface Wishes {
  readonly file?: Partial<HubFile>;
  readonly signal?: AbortSignal;
  readonly waits?: number[];
  /** Called when bytes have come. */
  readonly onSome?: () => void;
}

/** @returns the bytes that were reported, summed up. */
async function download({ file = {}, signal, waits = [], onSome }: Wishes = {}): Promise<number> {
  let bytes = 0;
  const whole: HubFile = {
    path: NAME,
    bytes: CONTENT.length,
    checksum: { kind: 'sha256', value: sha('sha256', CONTENT) },
    ...file,
  };
  await downloadFile(new Hub({ hubUrl: server.url, hubToken: undefined }, hastyPace(waits)), {
    model: MODEL,
    commit: server.commit,
    file: whole,
    target,
    signal,
    onBytes: (more) => {
      bytes += more;
      if (more > 0) onSome?.();
    },
  });
  return bytes;
}

async function expectWhole(bytes: number): Promise<void> {
  expect((await readFile(target)).equals(CONTENT)).toBe(true);
  expect(bytes).toBe(CONTENT.length);
  expect(existsSync(`${target}.part`)).toBe(false);
}

const SOME_RANGE: unknown = expect.stringMatching(/^bytes=[1-9]\d*-$/);

function onceOnly(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) work();
    isDone = true;
  };
}

const ranges = (): (string | undefined)[] => server.requestsFor(NAME).map(({ headers }) => headers.range);

describe('A file of a hub', () => {
  it('arrives whole, and is not asked for again', async () => {
    await expectWhole(await download());
    await expectWhole(await download());
    expect(ranges()).toEqual([undefined]);
  });

  it('that is small is proved by its git hash; an empty one is not asked for', async () => {
    const file = { path: 'config.json', bytes: 15 };
    const value = '4e3ffc4ba0a8b1d5b0ea1d3f7cfa8bbd8a0f2e8b';
    await expect(download({ file: { ...file, checksum: { kind: 'git', value } } })).rejects.toThrow(
      'git blob sha1',
    );
    // Of git hash-object.
    await download({
      file: { ...file, checksum: { kind: 'git', value: '011069b11b10339df954cef6ef0dc53ec6517f11' } },
    });
    expect(await readFile(target, 'utf8')).toBe('{"small": true}');
    target = join(directory, 'empty');
    const empty = { kind: 'git', value: 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391' } as const;
    await download({ file: { path: 'empty', bytes: 0, checksum: empty } });
    expect((await stat(target)).size).toBe(0);
    expect(server.requestsFor('empty')).toEqual([]);
  });

  it('is gone on with where the connection broke', async () => {
    const waits: number[] = [];
    server.answer(NAME, sendStart(CONTENT, HALF, ETAG));
    const onSome = onceOnly(() => server.breakConnections());
    await expectWhole(await download({ waits, onSome }));
    const [again] = server.requestsFor(NAME);
    expect(again?.headers).toMatchObject({ range: SOME_RANGE, 'if-range': ETAG });
    expect(waits).toEqual([500]);
  });

  it('is gone on with by another process, which proves what it finds', async () => {
    await writeFile(`${target}.part`, CONTENT.subarray(0, HALF));
    await expectWhole(await download());
    expect(ranges()).toEqual([`bytes=${HALF}-`]);
  });

  it('begins again where the server knows no ranges', async () => {
    server.knowsRanges = false;
    await writeFile(`${target}.part`, CONTENT.subarray(0, HALF));
    await expectWhole(await download());
    expect(ranges()).toEqual([`bytes=${HALF}-`]);
  });

  it.each<[string, Answer]>([
    [
      'another range comes',
      (_, response) => send(response, 206, { 'content-range': 'bytes 7-9/300000' }, 'abc'),
    ],
    [
      'the range is of a compressed form',
      (_, response) =>
        send(
          response,
          206,
          { 'content-range': `bytes ${HALF}-299999/300000`, 'content-encoding': 'gzip' },
          'abc',
        ),
    ],
    ['the server has no such range', (_, response) => send(response, 416, {})],
  ])('begins again where %s', async (_, answer) => {
    await writeFile(`${target}.part`, CONTENT.subarray(0, HALF));
    server.answer(NAME, answer);
    await expectWhole(await download());
    expect(ranges()).toEqual([undefined]);
  });

  it('begins again where the server has another file now', async () => {
    server.answer(NAME, sendStart(Buffer.alloc(CONTENT.length), HALF, '"older"'));
    const onSome = onceOnly(() => server.breakConnections());
    await expectWhole(await download({ onSome }));
    expect(server.requestsFor(NAME).map(({ headers }) => headers['if-range'])).toEqual(['"older"']);
  });

  it('begins again where what was left of it is damaged, or too long', async () => {
    await writeFile(`${target}.part`, Buffer.alloc(HALF));
    await expectWhole(await download());
    await rm(target);
    await writeFile(`${target}.part`, Buffer.alloc(CONTENT.length + 1));
    await expectWhole(await download());
    expect(ranges()).toEqual([`bytes=${HALF}-`, undefined, undefined]);
  });

  it('with a wrong checksum is refused, named with both, and deleted', async () => {
    const other = Buffer.from(CONTENT);
    other[HALF]! ^= 1;
    server.answer(NAME, (_, response) => send(response, 200, { 'content-length': other.length }, other));
    const [expected, got] = [sha('sha256', CONTENT), sha('sha256', other)];
    await expect(download()).rejects.toMatchObject({
      code: 'invalid_argument',
      detail: `${NAME} of ${MODEL} has a wrong checksum: expected ${expected}, got ${got} (sha256)`,
    });
    expect(existsSync(target)).toBe(false);
    expect(existsSync(`${target}.part`)).toBe(false);
  });

  it('that has more bytes than were announced is cut there, and refused', async () => {
    let closed: Promise<unknown> | undefined;
    server.answer(NAME, (_, response) => {
      // Without an end: only the limit ends it.
      const more = (): void => void (response.destroyed || response.write(CONTENT, more));
      closed = new Promise((resolve) => response.on('close', resolve));
      more();
    });
    await expect(download()).rejects.toThrow(`${NAME}: the hub sent more than the 300000 bytes it announced`);
    await closed;
    expect(existsSync(`${target}.part`)).toBe(false);
  });

  it('waits as the hub asks it to, and longer after each failure', async () => {
    const waits: number[] = [];
    server.answer(NAME, (_, response) => send(response, 429, { 'retry-after': '9' }));
    server.answer(NAME, (_, response) => send(response, 500, {}));
    server.answer(NAME, (_, response) => response.destroy());
    await expectWhole(await download({ waits }));
    expect(waits).toEqual([9_000, 1_000, 2_000]);
  });

  it('is given up after some attempts, and what came is kept for later', async () => {
    server.answer(NAME, sendStart(CONTENT, HALF));
    server.answer(NAME, (_, response) => send(response, 503, {}), 9);
    const onSome = onceOnly(() => server.breakConnections());
    await expect(download({ onSome })).rejects.toThrow(
      'answered 503 for model.safetensors of someone/tiny-bert, 4 times',
    );
    expect((await stat(`${target}.part`)).size).toBeGreaterThan(0);
  });

  it('is cancelled by the signal in its middle, and what came is kept for later', async () => {
    const interrupt = new AbortController();
    server.answer(NAME, sendStart(CONTENT, HALF));
    const cancelled = download({ signal: interrupt.signal, onSome: () => interrupt.abort() });
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
    await expectWhole(await download());
    expect(ranges()).toEqual([SOME_RANGE]);
  });

  it('is not written through a link', async () => {
    const elsewhere = join(directory, 'elsewhere');
    await writeFile(elsewhere, 'precious');
    await symlink(elsewhere, `${target}.part`);
    await expect(download()).rejects.toThrow(`${target}.part cannot be kept`);
    expect(await readFile(elsewhere, 'utf8')).toBe('precious');
  });

  it.each([
    ['ENOSPC', 'the disk is full (ENOSPC)'],
    ['EDQUOT', 'the quota of the disk is used up (EDQUOT)'],
    ['EACCES', 'permission denied'],
  ])('that cannot be kept says why: %s', (code, fault) => {
    const cause = Object.assign(new Error('permission denied'), { code });
    expect(storageError(target, cause)).toMatchObject({
      code: 'invalid_argument',
      detail: `${target} cannot be kept: ${fault}`,
      cause,
    });
  });
});
