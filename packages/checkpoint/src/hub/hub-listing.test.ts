import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { blobId, hastyPace, HubServer, LARGE_BYTES, MODEL, send, sha } from './hub-server.fixture.ts';
import { parseHubId } from './hub-id.ts';
import { listModel, type HubListing } from './hub-listing.ts';
import { Hub } from './hub.ts';

const SMALL = Buffer.from('{}');
const LARGE = Buffer.alloc(LARGE_BYTES, 1);

let server: HubServer;
beforeEach(async () => {
  server = await HubServer.open({ 'config.json': SMALL, 'some dir/large#1.bin': LARGE });
});
afterEach(() => server.close());

function list(revision = 'main'): Promise<HubListing> {
  const hub = new Hub({ hubUrl: server.url, hubToken: undefined }, hastyPace());
  return listModel(hub, parseHubId(`${MODEL}@${revision}`)!, undefined);
}

function answerListing(listing: unknown): void {
  const body = typeof listing === 'string' ? listing : JSON.stringify(listing);
  server.answer('/api/models/', (_, response) => send(response, 200, {}, body));
}

describe('The listing of a model', () => {
  it.each(['main', 'v1', 'refs/pr/1'])(
    'of %s says its commit, and size and checksum of every file',
    async (revision) => {
      const { commit, paths, file } = await list(revision);
      expect(commit).toBe(server.commit);
      expect(paths).toEqual(['config.json', 'some dir/large#1.bin']);
      expect(await file('config.json', undefined)).toEqual({
        path: 'config.json',
        bytes: 2,
        checksum: { kind: 'git', value: blobId(SMALL) },
      });
      // Not the hash of the pointer that stands for it in git.
      expect(await file('some dir/large#1.bin', undefined)).toEqual({
        path: 'some dir/large#1.bin',
        bytes: LARGE_BYTES,
        checksum: { kind: 'sha256', value: sha('sha256', LARGE) },
      });
      expect(server.seen).toHaveLength(1);
    },
  );

  it('with nothing but names is completed by the heads of files, which are not followed to another host', async () => {
    const full = await list();
    server.listsNamesOnly = true;
    const { paths, file } = await list();
    server.seen.length = 0;
    for (const path of paths) expect(await file(path, undefined)).toEqual(await full.file(path, undefined));
    expect(server.seen.map(({ method, isStore }) => [method, isStore])).toEqual([
      ['HEAD', false],
      ['HEAD', false],
    ]);
  });

  it('of a hub that has no checksums is not enough', async () => {
    server.listsNamesOnly = true;
    const { file } = await list();
    server.answer('config.json', (_, response) => send(response, 200, { etag: 'W/"5-18c"' }));
    await expect(file('config.json', undefined)).rejects.toThrow(
      'the hub tells no size or no checksum of config.json of someone/tiny-bert',
    );
  });

  it.each([
    '../config.json',
    'a/../../config.json',
    '/etc/passwd',
    'a//b',
    './config.json',
    'a\\b',
    'C:config.json',
    'a\0b',
    'a\nb',
    '..',
    '',
  ])('with the path %j is refused', async (rfilename) => {
    answerListing({ sha: server.commit, siblings: [{ rfilename: 'config.json' }, { rfilename }] });
    await expect(list()).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining("leads out of the model's directory"),
    });
  });

  it.each<[string, unknown, string]>([
    ['no JSON', '<html>Sign in to the network</html>', 'the listing of someone/tiny-bert@main is not JSON'],
    ['no commit', { siblings: [] }, 'sha'],
    ['a commit that is a path', { sha: '../../main', siblings: [] }, 'sha'],
    ['a size below 0', { sha: 'a'.repeat(40), siblings: [{ rfilename: 'a', size: -1 }] }, 'siblings[0].size'],
    [
      'a checksum that is none',
      { sha: 'a'.repeat(40), siblings: [{ rfilename: 'a', lfs: { size: 1, sha256: 'x' } }] },
      'siblings[0].lfs.sha256',
    ],
    ['no end', 'x'.repeat((1 << 22) + 1), 'has more than 4194304 bytes'],
  ])('with %s is refused', async (_, listing, fault) => {
    answerListing(listing);
    await expect(list()).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining(fault),
    });
  });

  it('of a revision that is not there says so', async () => {
    await expect(list('v9')).rejects.toThrow('has no such revision: someone/tiny-bert@v9');
  });
});
