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

export interface Readiness {
  readonly session: () => SessionStatus;
  /** Why nothing can be written down now; `null` = a write was just made. Where the memory is elsewhere, its keeper tells. */
  readonly memory?: () => string | null;
  /** Why everybody's trading is halted, if it is. */
  readonly halt?: () => string | null;
}

/** Whether a request would be served: signed in, or nothing known against signing in when one comes. */
export const readyz =
  ({ session, memory, halt }: Readiness): RequestHandler =>
  (_request, response) => {
    const status = session();
    const asleep = status.state === 'idle' || status.state === 'closed';
    const fault = memory?.() ?? null;
    const ready = status.state === 'ready';
    const serves = fault === null && (ready || asleep);
    const halted = fault === null ? (halt?.() ?? null) : null;
    if (!serves) response.setHeader(HEADER.retryAfter, retryAfterSeconds(DEFAULT_RETRY_AFTER_MS));
    response.status(serves ? 200 : 503).json({
      status: !serves ? 'not_ready' : ready ? 'ready' : 'asleep',
      reason: fault ?? (halted === null ? null : `Trading is halted: ${halted}`),
      session: publicSession(status),
    });
  };
