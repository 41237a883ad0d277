import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HubPace } from './retrying.ts';

// A hub on this machine, for tests: the paths and headers of huggingface.co, with large files on another host.

export interface SeenRequest {
  readonly method: string;
  /** Decoded, with its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Whether the host of large files was asked. */
  readonly isStore: boolean;
}

export type Answer = (request: SeenRequest, response: ServerResponse) => void;

/** From this size on a file is kept by its sha256, and served by the other host. */
export const LARGE_BYTES = 4_096;

export const MODEL = 'someone/tiny-bert';

export class HubServer {
  url = '';
  /** Of large files. */
  storeUrl = '';
  readonly seen: SeenRequest[] = [];
  /** A list without sizes and checksums, as some mirrors have it. */
  listsNamesOnly = false;
  knowsRanges = true;
  readonly #hub: Server;
  readonly #store: Server;
  readonly #answers: { readonly part: string; readonly times: number[]; readonly answer: Answer }[] = [];
  #files = new Map<string, Buffer>();
  #isClosed = false;

  private constructor() {
    this.#hub = createServer((request, response) => this.#handle(request, response, false));
    this.#store = createServer((request, response) => this.#handle(request, response, true));
  }

  static async open(files: Readonly<Record<string, string | Uint8Array>>): Promise<HubServer> {
    const server = new HubServer();
    server.serve(files);
    server.url = await listen(server.#hub);
    server.storeUrl = await listen(server.#store);
    return server;
  }

  /** Changes with every file, as git's. */
  get commit(): string {
    const names = [...this.#files].map(([path, content]) => [path, blobId(content)]);
    return sha('sha1', JSON.stringify(names));
  }

  /** The model from now on. */
  serve(files: Readonly<Record<string, string | Uint8Array>>): void {
    this.#files = new Map(Object.entries(files).map(([path, content]) => [path, Buffer.from(content)]));
  }

  /** Answers requests whose path has this part in another way, so many times. */
  answer(part: string, answer: Answer, times = 1): void {
    this.#answers.push({ part, times: [times], answer });
  }

  /** Requests for one file that its bytes were sent for. */
  requestsFor(path: string): SeenRequest[] {
    return this.seen.filter(
      (request) => request.path.endsWith(path) && request.isStore === this.#isLarge(path),
    );
  }

  breakConnections(): void {
    this.#hub.closeAllConnections();
    this.#store.closeAllConnections();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const one of [this.#hub, this.#store]) {
      one.close();
      one.closeAllConnections();
      await once(one, 'close');
    }
  }

  #isLarge(path: string): boolean {
    return (this.#files.get(path)?.length ?? 0) >= LARGE_BYTES;
  }

  #handle(
    { method = 'GET', url = '/', headers }: IncomingMessage,
    response: ServerResponse,
    isStore: boolean,
  ): void {
    const request = { method, path: decodeURIComponent(url), headers, isStore };
    this.seen.push(request);
    const other = this.#answers.find(({ part, times }) => request.path.includes(part) && times[0]! > 0);
    if (other !== undefined) {
      other.times[0]! -= 1;
      other.answer(request, response);
      return;
    }
    const list = new RegExp(`^/api/models/${MODEL}/revision/([^?]+)\\?blobs=true$`).exec(request.path);
    const file = new RegExp(`^/${MODEL}/resolve/([0-9a-f]{40})/(.+)$`).exec(request.path);
    if (list !== null) this.#list(list[1]!, response);
    else if (file !== null) this.#file(request, file[1]!, file[2]!, response);
    else send(response, 404, { 'x-error-code': 'RepoNotFound' });
  }

  #list(revision: string, response: ServerResponse): void {
    if (!['main', 'v1', 'refs/pr/1', this.commit].includes(revision)) {
      return send(response, 404, { 'x-error-code': 'RevisionNotFound' });
    }
    const siblings = [...this.#files].map(([rfilename, content]) => ({
      rfilename,
      ...(!this.listsNamesOnly && {
        size: content.length,
        blobId: blobId(this.#isLarge(rfilename) ? Buffer.from('its pointer') : content),
        ...(this.#isLarge(rfilename) && {
          lfs: { sha256: sha('sha256', content), size: content.length, pointerSize: 132 },
        }),
      }),
    }));
    send(
      response,
      200,
      { 'content-type': 'application/json' },
      JSON.stringify({ id: MODEL, sha: this.commit, siblings }),
    );
  }

  #file(request: SeenRequest, commit: string, path: string, response: ServerResponse): void {
    const content = this.#files.get(path);
    if (content === undefined || commit !== this.commit) {
      return send(response, 404, { 'x-error-code': 'EntryNotFound' });
    }
    response.setHeader('x-repo-commit', commit);
    const etag = `"${this.#isLarge(path) ? sha('sha256', content) : blobId(content)}"`;
    if (this.#isLarge(path) && !request.isStore) {
      const location = `${this.storeUrl}${encodeURI(request.path)}`;
      const linked = { 'x-linked-etag': etag, 'x-linked-size': content.length };
      return send(response, 302, { location, ...linked });
    }
    sendRange(request, response, content, etag, this.knowsRanges);
  }
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Sends a file from its start or from where the request says. */
function sendRange(
  { method, headers }: SeenRequest,
  response: ServerResponse,
  content: Buffer,
  etag: string,
  knowsRanges: boolean,
): void {
  const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
  const isValid = headers['if-range'] === undefined || headers['if-range'] === etag;
  if (!knowsRanges || headers.range === undefined || !isValid) {
    return send(response, 200, { etag, 'content-length': content.length }, method === 'HEAD' ? '' : content);
  }
  if (from >= content.length) return send(response, 416, {});
  const range = `bytes ${from}-${content.length - 1}/${content.length}`;
  const ranged = { etag, 'content-range': range, 'content-length': content.length - from };
  send(response, 206, ranged, content.subarray(from));
}

/** The first bytes of a file, and then nothing. */
export function sendStart(content: Buffer, bytes: number, etag?: string): Answer {
  return (_request, response) => {
    response.writeHead(200, { 'content-length': content.length, ...(etag !== undefined && { etag }) });
    response.write(content.subarray(0, bytes));
  };
}

export function send(
  response: ServerResponse,
  status: number,
  headers: Record<string, string | number>,
  body: string | Buffer = '',
): void {
  response.writeHead(status, headers);
  response.end(body);
}

export function sha(algorithm: 'sha1' | 'sha256', content: string | Buffer): string {
  return createHash(algorithm).update(content).digest('hex');
}

export function blobId(content: Buffer): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}

/** Waits for nothing, and keeps how long it would have waited. */
export function hastyPace(waits: number[] = []): HubPace {
  return {
    attempts: 4,
    stallMs: 20_000,
    random: () => 1,
    wait: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
  };
}
