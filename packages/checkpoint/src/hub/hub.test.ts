import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hubOptionsSchema } from './hub-options.ts';
import { hastyPace, HubServer, LARGE_BYTES, MODEL, send } from './hub-server.fixture.ts';
import { Hub } from './hub.ts';

let server: HubServer;
beforeEach(async () => {
  server = await HubServer.open({ 'config.json': '{}', large: Buffer.alloc(LARGE_BYTES, 7) });
});
afterEach(() => server.close());

function hub(options: { hubUrl?: string; hubToken?: string; stallMs?: number } = {}): Hub {
  const { hubUrl = server.url, hubToken, stallMs = 20_000 } = options;
  return new Hub({ hubUrl, hubToken }, { ...hastyPace(), stallMs });
}

function get(path: string, on = hub(), signal?: AbortSignal): Promise<string> {
  return on.request({ path, what: 'it' }, signal, async (response, heard) => {
    heard();
    return await response.text();
  });
}

const file = (path: string): string => `${MODEL}/resolve/${server.commit}/${path}`;

describe('A request to a hub', () => {
  it('follows redirects, with the token on its own host alone', async () => {
    const text = await get(file('large'), hub({ hubToken: 'hf_secret' }));
    expect(text).toHaveLength(LARGE_BYTES);
    expect(server.seen.map(({ isStore, headers }) => [isStore, headers.authorization])).toEqual([
      [false, 'Bearer hf_secret'],
      [true, undefined],
    ]);
    expect(server.seen[0]?.headers['accept-encoding']).toBe('identity');
  });

  it('keeps the token on a redirect of the same host, as of a model with another name now', async () => {
    server.answer('/old/name', (_, response) => send(response, 307, { location: `/${file('config.json')}` }));
    expect(await get('old/name', hub({ hubToken: 'hf_secret' }))).toBe('{}');
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer hf_secret',
      'Bearer hf_secret',
    ]);
  });

  it('finds a mirror below a path', async () => {
    server.answer('/mirror/hf/some', (_, response) => send(response, 200, {}, 'here'));
    expect(await get('some', hub({ hubUrl: `${server.url}/mirror/hf` }))).toBe('here');
  });

  it.each<[string, string]>([
    ['file:///etc/passwd', 'redirects it to file:, which is not followed'],
    ['http://[', 'redirects it to what is no URL'],
  ])('does not follow a redirect to %s', async (location, fault) => {
    server.answer('/there', (_, response) => send(response, 302, { location }));
    await expect(get('there')).rejects.toThrow(fault);
  });

  it('follows no circle', async () => {
    server.answer('/there', (_, response) => send(response, 302, { location: '/there' }), 100);
    await expect(get('there')).rejects.toThrow('redirects it more than 5 times');
  });

  it.each<[number, Record<string, string>, boolean, string | undefined, string]>([
    [404, {}, false, undefined, 'does not have it'],
    [404, { 'x-error-code': 'RevisionNotFound' }, false, undefined, 'has no such revision: it'],
    [401, {}, false, undefined, 'it does not have it, or wants a token, in HF_TOKEN or EMBEDFARM_HUB_TOKEN'],
    [401, { 'x-error-code': 'GatedRepo' }, false, undefined, '(401): it wants a token, in HF_TOKEN'],
    [403, {}, false, 'hf_secret', 'does not give it to the owner of this token (403)'],
    [400, {}, false, undefined, 'answered 400 for it'],
    [429, { 'retry-after': '3' }, true, undefined, 'answered 429 for it'],
    [500, {}, true, undefined, 'answered 500 for it'],
    [503, {}, true, undefined, 'answered 503 for it'],
  ])(
    'that is answered %d %j fails, and may pass: %s',
    async (status, headers, isTransient, hubToken, fault) => {
      server.answer('/there', (_, response) => send(response, status, headers, 'a page for people'));
      const failure = await get('there', hub(hubToken === undefined ? {} : { hubToken })).catch(
        (error: unknown) => error,
      );
      expect(failure).toMatchObject({
        code: 'invalid_argument',
        isTransient,
        message: expect.stringContaining(fault),
      });
      expect(String(failure)).not.toContain('hf_secret');
      expect(String(failure)).toContain(new URL(server.url).host);
    },
  );

  it('that another host refuses with 403 may pass: a signed address ran out', async () => {
    server.answer('/there', (_, response) => send(response, 302, { location: `${server.storeUrl}/signed` }));
    server.answer('/signed', (_, response) => send(response, 403, {}));
    await expect(get('there')).rejects.toMatchObject({ isTransient: true });
  });

  it('that nobody answers says why, and may pass', async () => {
    const { url } = server;
    await server.close();
    await expect(get('there', hub({ hubUrl: url }))).rejects.toMatchObject({
      isTransient: true,
      message: expect.stringMatching(/127\.0\.0\.1:\d+ cannot be reached for it: .*ECONNREFUSED/),
    });
  });

  it('ends after a time without a byte, before the answer and in its middle', async () => {
    server.answer('/silent', () => undefined);
    await expect(get('silent', hub({ stallMs: 50 }))).rejects.toMatchObject({
      isTransient: true,
      message: expect.stringContaining('sent nothing for 50 ms of it'),
    });
    server.answer('/half', (_, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half');
    });
    await expect(get('half', hub({ stallMs: 50 }))).rejects.toThrow('sent nothing for 50 ms of it');
  });

  it('ends with the signal', async () => {
    const interrupt = new AbortController();
    server.answer('/silent', () => interrupt.abort(new Error('enough')));
    await expect(get('silent', hub(), interrupt.signal)).rejects.toThrow('enough');
  });
});

describe('Options of a hub', () => {
  it('are the public hub, online, without a token', () => {
    expect(hubOptionsSchema.parse({})).toEqual({ hubUrl: 'https://huggingface.co', offline: false });
    expect(hubOptionsSchema.parse({ hubUrl: 'http://10.0.0.1:8080/hf//' })).toMatchObject({
      hubUrl: 'http://10.0.0.1:8080/hf',
    });
  });

  it.each([
    'huggingface.co',
    'ftp://x.test',
    'https://me:secret@x.test',
    'https://x.test/?a=1',
    'https://x.test/#a',
  ])('refuse the URL %s', (hubUrl) => {
    expect(hubOptionsSchema.safeParse({ hubUrl }).success).toBe(false);
  });

  it('refuse a token with a line end, and do not repeat it', () => {
    const { error } = hubOptionsSchema.safeParse({ hubToken: 'hf_secret\n' });
    expect(error?.message).toContain('must be printable');
    expect(error?.message).not.toContain('hf_secret');
  });
});
