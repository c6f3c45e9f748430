import type { RequestHandler } from 'express';
import type { SessionStatus } from '../contract/control.ts';
import { publicSession } from '../contract/schemas/status.ts';
import { DEFAULT_RETRY_AFTER_MS, retryAfterSeconds } from '../contract/errors.ts';
import { HEADER } from '../contract/headers.ts';
import { BRIDGE_VERSION } from '../contract/version.ts';

/** The process answers: nothing else is looked at. */
export const healthz: RequestHandler = (_request, response) => {
  response.json({ status: 'ok', version: BRIDGE_VERSION });
};

/** Whether a request would be served: signed in, or nothing known against signing in when one comes. */
export const readyz =
  (session: () => SessionStatus): RequestHandler =>
  (_request, response) => {
    const status = session();
    const asleep = status.state === 'idle' || status.state === 'closed';
    const ready = status.state === 'ready';
    if (!ready && !asleep) response.setHeader(HEADER.retryAfter, retryAfterSeconds(DEFAULT_RETRY_AFTER_MS));
    response
      .status(ready || asleep ? 200 : 503)
      .json({ status: ready ? 'ready' : asleep ? 'asleep' : 'not_ready', session: publicSession(status) });
  };
