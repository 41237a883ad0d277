import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatBertConfig } from '../bert-config.ts';
import { TINY, VOCABULARY } from '../pretrained.fixture.ts';
import type { FetchCall } from './download-model.ts';
import { parseHubId } from './hub-id.ts';
import { ensureHubModel, type HubModel } from './hub-model.ts';
import { hubOptionsSchema, type HubOptions } from './hub-options.ts';
import { hastyPace, HubServer, MODEL, send } from './hub-server.fixture.ts';
import { findModelPlace } from './model-place.ts';

const WEIGHTS = Buffer.alloc(100_000, 1);
const FILES = {
  'README.md': 'for people',
  'config.json': JSON.stringify(formatBertConfig(TINY)),
  'vocab.txt': VOCABULARY.join('\n'),
  'modules.json': '[]',
  '1_Pooling/config.json': '{}',
  'model.safetensors': WEIGHTS,
  'onnx/model.onnx': 'an export',
  'pytorch_model.bin': 'pickled',
};
const TAKEN = [
  '1_Pooling',
  '1_Pooling/config.json',
  'config.json',
  'model.safetensors',
  'modules.json',
  'vocab.txt',
];

let cacheFolder: string;
let server: HubServer;
beforeEach(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'embedfarm-hub-'));
  server = await HubServer.open(FILES);
});
afterEach(async () => {
  await server.close();
  await rm(cacheFolder, { recursive: true });
});

const pace = hastyPace();

function fetchModel(id = MODEL, options: HubOptions = {}, call: FetchCall = {}): Promise<HubModel> {
  const resolved = hubOptionsSchema.parse({ hubUrl: server.url, ...options });
  return ensureHubModel(parseHubId(id)!, cacheFolder, resolved, { pace, ...call });
}

const folder = (): string => join(cacheFolder, 'hub', 'someone--tiny-bert');

async function contents(directory: string): Promise<string[]> {
  return (await readdir(directory, { recursive: true })).toSorted();
}

describe('A model of a hub', () => {
  it('is downloaded with what the farm reads, and then only asked for its commit', async () => {
    const progress: number[] = [];
    const onDownload: FetchCall['onDownload'] = ({ doneBytes, totalBytes }) =>
      progress.push(doneBytes / totalBytes);
    const { directory, commit } = await fetchModel(MODEL, {}, { onDownload });
    expect(commit).toBe(server.commit);
    expect(directory).toBe(join(folder(), commit, 'tiny-bert'));
    expect(await contents(directory)).toEqual(TAKEN);
    expect((await readFile(join(directory, 'model.safetensors'))).equals(WEIGHTS)).toBe(true);
    expect(progress.at(-1)).toBe(1);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));

    server.seen.length = 0;
    expect(await fetchModel(MODEL, {}, { onDownload: () => progress.push(-1) })).toEqual({
      directory,
      commit,
    });
    expect(progress).not.toContain(-1);
    expect(server.seen.map(({ path }) => path)).toEqual([`/api/models/${MODEL}/revision/main?blobs=true`]);
  });

  it('that has moved on is downloaded again, and the older commit stays', async () => {
    const older = await fetchModel();
    server.serve({ ...FILES, 'vocab.txt': 'other' });
    const newer = await fetchModel();
    expect(newer.commit).not.toBe(older.commit);
    expect(await readFile(join(newer.directory, 'vocab.txt'), 'utf8')).toBe('other');
    expect(await contents(older.directory)).toEqual(TAKEN);
    const pinned = await fetchModel(`${MODEL}@${older.commit}`);
    expect(pinned).toEqual(older);
  });

  it('pinned to a commit that is here asks nobody', async () => {
    const { commit, directory } = await fetchModel(`${MODEL}@refs/pr/1`);
    server.seen.length = 0;
    expect(await fetchModel(`${MODEL}@${commit}`)).toEqual({ directory, commit });
    expect(server.seen).toEqual([]);
  });

  it('is taken from the cache offline, by the revision that was asked for before', async () => {
    const known = await fetchModel(`${MODEL}@v1`);
    server.seen.length = 0;
    expect(await fetchModel(`${MODEL}@v1`, { offline: true })).toEqual(known);
    await expect(fetchModel(MODEL, { offline: true })).rejects.toMatchObject({
      code: 'invalid_argument',
      detail: `${MODEL}@main is not in the cache (${folder()}), and offline nothing is downloaded`,
    });
    expect(server.seen).toEqual([]);
  });

  it('is taken from the cache with a warning where the hub is gone, or busy, and at once', async () => {
    const known = await fetchModel();
    const notices: string[] = [];
    const waits: number[] = [];
    const call = { onNotice: (notice: string) => notices.push(notice), pace: hastyPace(waits) };
    server.answer('/api/', (_, response) => send(response, 503, { 'retry-after': '100' }), 9);
    expect(await fetchModel(MODEL, {}, call)).toEqual(known);
    const options = { hubUrl: server.url };
    await server.close();
    expect(await fetchModel(MODEL, options, call)).toEqual(known);
    expect(waits).toEqual([]);
    expect(notices).toEqual([
      expect.stringMatching(
        /answered 503 for .*; it is taken from the cache as it was last, at [0-9a-f]{40}$/,
      ),
      expect.stringMatching(/cannot be reached for someone\/tiny-bert@main: .*ECONNREFUSED.* from the cache/),
    ]);
  });

  it('that the hub has no more is not taken from the cache', async () => {
    await fetchModel();
    server.answer('/api/', (_, response) => send(response, 404, { 'x-error-code': 'RepoNotFound' }));
    await expect(fetchModel()).rejects.toThrow('does not have someone/tiny-bert@main');
  });

  it('that is nowhere says where it was looked for', async () => {
    const options = hubOptionsSchema.parse({ hubUrl: server.url });
    const host = new URL(server.url).host;
    await expect(findModelPlace('no/where', cacheFolder, options, { pace })).rejects.toThrow(
      `${host} does not have no/where@main; and there is no directory no/where`,
    );
    await expect(findModelPlace('nowhere', cacheFolder, options)).rejects.toThrow(
      'nowhere is neither a directory nor the id of a model on the hub (org/name or org/name@revision)',
    );
    await server.close();
    await expect(findModelPlace(MODEL, cacheFolder, options, { pace })).rejects.toThrow(
      /cannot be reached for .*, 4 times; and there is no directory someone\/tiny-bert$/,
    );
  });

  it('is not looked for where a directory has that path', async () => {
    const options = hubOptionsSchema.parse({ hubUrl: server.url });
    expect(await findModelPlace('packages/checkpoint', cacheFolder, options)).toEqual({
      directory: 'packages/checkpoint',
    });
    expect(server.seen).toEqual([]);
  });

  it('is asked for again after 429 and 500', async () => {
    const waits: number[] = [];
    server.answer('/api/', (_, response) => send(response, 429, { 'retry-after': '5' }));
    server.answer('/api/', (_, response) => send(response, 500, {}));
    await fetchModel(MODEL, {}, { pace: hastyPace(waits) });
    expect(waits).toEqual([5_000, 1_000]);
  });

  it('from a mirror that lists nothing but names is the same', async () => {
    server.listsNamesOnly = true;
    const { directory } = await fetchModel();
    expect(await contents(directory)).toEqual(TAKEN);
    expect((await readFile(join(directory, 'model.safetensors'))).equals(WEIGHTS)).toBe(true);
  });

  it('downloaded twice at once is good for both, and there once', async () => {
    const [one, two] = await Promise.all([fetchModel(), fetchModel()]);
    expect(one).toEqual(two);
    expect(await contents(one.directory)).toEqual(TAKEN);
    expect(await contents(folder())).toEqual(
      [
        'refs',
        'refs/main',
        one.commit,
        `${one.commit}/manifest.json`,
        `${one.commit}/tiny-bert`,
        ...TAKEN.map((name) => `${one.commit}/tiny-bert/${name}`),
      ].toSorted(),
    );
  });

  it('whose download failed is nowhere, and the next one goes on with what came', async () => {
    server.answer('/model.safetensors', (_, response) => send(response, 503, {}), 4);
    await expect(fetchModel()).rejects.toThrow(
      'answered 503 for model.safetensors of someone/tiny-bert, 4 times',
    );
    expect(existsSync(join(folder(), server.commit))).toBe(false);
    expect(existsSync(join(folder(), 'refs'))).toBe(false);
    server.seen.length = 0;
    const { directory } = await fetchModel();
    expect(await contents(directory)).toEqual(TAKEN);
    expect(server.requestsFor('config.json').map(({ path }) => path)).toEqual([]);
    expect(await readdir(folder())).toHaveLength(2);
  });

  it('fails whole when one file does: the others are ended', async () => {
    const other = Buffer.from(WEIGHTS);
    other[0]! += 1;
    server.answer('/vocab.txt', () => undefined);
    server.answer('/model.safetensors', (_, response) => send(response, 200, {}, other));
    await expect(fetchModel()).rejects.toThrow('model.safetensors of someone/tiny-bert has a wrong checksum');
  });

  it('is cancelled by the signal', async () => {
    const interrupt = new AbortController();
    const call = { signal: interrupt.signal, onDownload: () => interrupt.abort() };
    await expect(fetchModel(MODEL, {}, call)).rejects.toMatchObject({ code: 'cancelled' });
    expect(existsSync(join(folder(), server.commit))).toBe(false);
  });

  it.each<[string, (directory: string) => Promise<unknown>]>([
    ['has lost a file', (directory) => rm(join(directory, 'vocab.txt'))],
    ['has a file that is shorter', (directory) => writeFile(join(directory, 'model.safetensors'), 'short')],
    [
      'has no manifest that can be read',
      (directory) => writeFile(join(directory, '../manifest.json'), '{"format":'),
    ],
  ])('whose place in the cache %s is downloaded again', async (_, damage) => {
    const { directory } = await fetchModel();
    await damage(directory);
    expect(await fetchModel()).toMatchObject({ directory });
    expect(await contents(directory)).toEqual(TAKEN);
    expect((await readFile(join(directory, 'model.safetensors'))).equals(WEIGHTS)).toBe(true);
  });

  it('that our graph does not fit comes as its export, or not at all', async () => {
    const t5 = { ...FILES, 'config.json': '{"model_type": "t5"}' };
    server.serve(t5);
    const { directory } = await fetchModel();
    expect(await contents(directory)).toContain('onnx/model.onnx');
    expect(await contents(directory)).not.toContain('model.safetensors');
    const { 'onnx/model.onnx': _, ...without } = t5;
    server.serve(without);
    server.seen.length = 0;
    await expect(fetchModel()).rejects.toThrow(
      /someone\/tiny-bert: .*model_type.*and there is no onnx\/model\.onnx/s,
    );
    expect(server.requestsFor('model.safetensors')).toEqual([]);
  });

  it('with pickled weights alone is refused', async () => {
    const { 'model.safetensors': _, 'onnx/model.onnx': __, ...pickled } = FILES;
    server.serve(pickled);
    await expect(fetchModel()).rejects.toMatchObject({
      code: 'invalid_argument',
      detail: expect.stringContaining(
        'someone/tiny-bert: there are only pickled weights (pytorch_model.bin)',
      ),
    });
  });

  it('that has no room is not begun', async () => {
    const sha256 = 'a'.repeat(64);
    server.listsNamesOnly = true;
    server.answer('/model.safetensors', (_, response) =>
      send(response, 302, {
        location: '/',
        'x-linked-etag': `"${sha256}"`,
        'x-linked-size': '900000000000000',
      }),
    );
    await expect(fetchModel()).rejects.toThrow(/needs 9000000\d+ bytes in .*, \d+ are free/);
    expect(server.requestsFor('model.safetensors')).toEqual([]);
  });

  it('whose config.json is said to be as large as a disk is not begun', async () => {
    server.listsNamesOnly = true;
    server.answer('/config.json', (_, response) =>
      send(response, 200, { 'x-linked-etag': `"${'a'.repeat(64)}"`, 'x-linked-size': '900000000000000' }),
    );
    await expect(fetchModel()).rejects.toThrow(
      'someone/tiny-bert: config.json has 900000000000000 bytes, limit is 4194304',
    );
    expect(server.seen.map(({ method }) => method)).toEqual(['GET', 'HEAD']);
  });

  it('at another commit than the one asked for is refused', async () => {
    const listing = JSON.stringify({ sha: 'b'.repeat(40), siblings: [] });
    server.answer('/api/', (_, response) => send(response, 200, {}, listing));
    await expect(fetchModel(`${MODEL}@${'a'.repeat(40)}`)).rejects.toThrow(
      `lists ${'b'.repeat(40)} of ${MODEL}`,
    );
  });
});
