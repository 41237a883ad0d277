import { FarmError } from '@embedfarm/contract';
import express, {
  Router,
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import { faultAnswer } from '../api.ts';
import { refusal, send } from '../answers.ts';
import { SESSION_MS, type BoardAccess, type Credentials } from './board-access.ts';
import { isSameOrigin } from './same-origin.ts';

const COOKIE = 'embedfarm_session';
const MAX_FORM_BYTES = 1_024;
/** What is watched by machines, and what the sign-in page is made of. */
const OPEN_PATHS: ReadonlySet<string> = new Set([
  '/healthz',
  '/readyz',
  '/metrics',
  '/sign-in',
  '/sign-in.html',
  '/sign-in.css',
  '/board.css',
  '/icon.svg',
]);

/** Lets nobody past without the key, where there is one; a person is shown where to sign in. */
export function guard(access: BoardAccess): RequestHandler {
  return (request, response, next) => {
    if (OPEN_PATHS.has(request.path)) return next();
    try {
      access.check(credentialsOf(request));
    } catch (fault) {
      if (isPageView(request, fault)) return toSignIn(request, response, '');
      return refuse(response, fault);
    }
    return next();
  };
}

/** `POST /sign-in` with the form's key. */
export function signInRoutes(access: BoardAccess): Router {
  const router = Router();
  const form = express.urlencoded({ extended: false, limit: MAX_FORM_BYTES, parameterLimit: 4 });
  router.post('/sign-in', fromOwnPage, form, (request, response) => {
    const { key } = (request.body ?? {}) as { key?: unknown };
    try {
      const session = access.signIn(typeof key === 'string' ? key : '', request.socket.remoteAddress);
      response.cookie(COOKIE, session, {
        httpOnly: true,
        sameSite: 'strict',
        secure: isHttps(request),
        maxAge: SESSION_MS,
      });
      response.set('Cache-Control', 'no-store').redirect(303, './');
    } catch (fault) {
      toSignIn(request, response, FarmError.from(fault).code === 'overloaded' ? '#wait' : '#wrong');
    }
  });
  return router;
}

/** Actions are for who has the key: without one nobody knows who asks. */
export function mayAct(access: BoardAccess): RequestHandler {
  return (_request, response, next) => {
    if (access.hasKey) return next();
    return send(
      response,
      refusal(403, 'forbidden', 'nobody may act while no key is set: start with EMBEDFARM_DASHBOARD_KEY'),
    );
  };
}

/** What a page of somebody else's sends in the name of who is signed in here goes no further. */
export function fromOwnPage(request: Request, response: Response, next: NextFunction): void {
  if (isSameOrigin(request.headers)) return next();
  return send(response, refusal(403, 'forbidden', 'the request comes from another page'));
}

function credentialsOf(request: Request): Credentials {
  return {
    authorization: request.headers.authorization,
    session: cookieOf(request.headers.cookie ?? ''),
    address: request.socket.remoteAddress,
  };
}

function cookieOf(header: string): string | undefined {
  for (const pair of header.split(';')) {
    const [name, value] = pair.trim().split('=', 2);
    if (name === COOKIE) return value;
  }
  return undefined;
}

/** A browser that opens a page, and has not shown a wrong key. */
function isPageView({ method, headers }: Request, fault: unknown): boolean {
  const { accept = '', authorization } = headers;
  const isMissing = FarmError.from(fault).code === 'unauthenticated' && authorization === undefined;
  return isMissing && (method === 'GET' || method === 'HEAD') && accept.includes('text/html');
}

/** Relative, as a proxy may have put the page anywhere. */
function toSignIn({ path }: Request, response: Response, hint: '' | '#wrong' | '#wait'): void {
  const up = '../'.repeat(Math.max(0, path.split('/').length - 2));
  response.set('Cache-Control', 'no-store').redirect(303, `${up}sign-in.html${hint}`);
}

function refuse(response: Response, fault: unknown): void {
  const { code, retryAfterMs = 0 } = FarmError.from(fault);
  if (code === 'unauthenticated') response.set('WWW-Authenticate', 'Bearer realm="embedfarm"');
  if (retryAfterMs > 0) response.set('Retry-After', String(Math.ceil(retryAfterMs / 1_000)));
  send(response, faultAnswer(fault));
}

/** A proxy that says so to no avail only makes the cookie stricter. */
function isHttps({ secure, headers }: Request): boolean {
  return (
    secure ||
    String(headers['x-forwarded-proto'] ?? '')
      .split(',', 1)[0]
      ?.trim() === 'https'
  );
}
