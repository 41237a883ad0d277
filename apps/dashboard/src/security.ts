import type { RequestHandler } from 'express';
import helmet from 'helmet';

const OWN_FILES_ONLY = {
  defaultSrc: ["'self'"],
  baseUri: ["'none'"],
  formAction: ["'self'"],
  frameAncestors: ["'none'"],
  objectSrc: ["'none'"],
};

/**
 * Own files only, in no frame, as the type they say. No inline script or style is allowed, so a name from Redis that
 * reached the page as markup would still do nothing.
 */
export function security(): RequestHandler {
  return withPolicy(OWN_FILES_ONLY);
}

/** The page of BullMQ's queues names its own folder as its base. */
export function queuesSecurity(): RequestHandler {
  return withPolicy({ ...OWN_FILES_ONLY, baseUri: ["'self'"], formAction: ["'none'"] });
}

function withPolicy(directives: Record<string, string[]>): RequestHandler {
  return helmet({
    // Without helmet's defaults, which would send a page on http to https.
    contentSecurityPolicy: { useDefaults: false, directives },
    // The origin of a form is `null` to its own host with no-referrer.
    referrerPolicy: { policy: 'same-origin' },
    xFrameOptions: { action: 'deny' },
    // Whether a host is on https alone its proxy knows.
    strictTransportSecurity: false,
  }) as RequestHandler;
}
