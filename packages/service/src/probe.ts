import type { IncomingMessage, ServerResponse } from 'node:http';
import { PROMETHEUS_TEXT } from './process-metrics.ts';

/**
 * Whether a process can do its work now; else a reason for machines (`starting`, or a code of FarmError) and one
 * for people.
 */
export type Readiness =
  | { readonly ready: true }
  | { readonly ready: false; readonly reason: string; readonly message: string };

/** What a process says of itself to those who watch it. */
export interface Probed {
  /** Every metric, in Prometheus' text format. */
  metrics(): Promise<string>;
  readiness(): Promise<Readiness>;
}

export interface ProbeAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** Every path of a probe, to its answer. A fault is answered with 500, never thrown. */
export const PROBES = {
  '/metrics': (probed: Probed): Promise<ProbeAnswer> =>
    orFault(async () => ({ status: 200, type: PROMETHEUS_TEXT, body: await probed.metrics() })),
  // An answer at all is the news: the loop turns.
  '/healthz': async (): Promise<ProbeAnswer> => json(200, { status: 'ok' }),
  '/readyz': (probed: Probed): Promise<ProbeAnswer> =>
    orFault(async () => readyAnswer(await probed.readiness())),
} as const;

/** Serves the probes and nothing else. */
export function probeListener(probed: Probed): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    void answer(request, probed).then(({ status, type, body }) => {
      response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store', ...extraOf(status) });
      response.end(request.method === 'HEAD' ? undefined : body);
    });
  };
}

async function answer({ method, url = '/' }: IncomingMessage, probed: Probed): Promise<ProbeAnswer> {
  const [path = '/'] = url.split('?');
  if (!isProbe(path))
    return json(404, failure('not_found', `nothing here; there is ${Object.keys(PROBES).join(', ')}`));
  if (method !== 'GET' && method !== 'HEAD')
    return json(405, failure('invalid_argument', 'only GET and HEAD are answered'));
  return await PROBES[path](probed);
}

function isProbe(path: string): path is keyof typeof PROBES {
  return Object.hasOwn(PROBES, path);
}

function readyAnswer(readiness: Readiness): ProbeAnswer {
  if (readiness.ready) return json(200, { status: 'ready' });
  const { reason, message } = readiness;
  return json(503, { status: 'unready', reason, message });
}

async function orFault(work: () => Promise<ProbeAnswer>): Promise<ProbeAnswer> {
  try {
    return await work();
  } catch (thrown) {
    return json(500, failure('internal', thrown instanceof Error ? thrown.message : String(thrown)));
  }
}

function failure(code: string, message: string): { error: { code: string; message: string } } {
  return { error: { code, message } };
}

function json(status: number, body: unknown): ProbeAnswer {
  return { status, type: JSON_TYPE, body: JSON.stringify(body) };
}

function extraOf(status: number): Record<string, string> {
  return status === 405 ? { Allow: 'GET, HEAD' } : {};
}
