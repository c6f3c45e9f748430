import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import { HEADER } from '../contract/headers.ts';
import type { Caller } from '../contract/keys.ts';
import type { Logger } from '../contract/logger.ts';
import { BRIDGE_VERSION } from '../contract/version.ts';
import type { RequestFacts } from './serve-routes.ts';

/** How long a caller waits where nobody said: as long as most clients and proxies do. */
export const DEFAULT_DEADLINE_MS = 30_000;
/** No deadline is further away, whoever asks. */
const MAX_DEADLINE_MS = 180_000;

interface OpenFacts extends RequestFacts {
  caller: Caller | null;
  requestId: string;
  deadlineAtMs: number;
}

const known = new WeakMap<Request, OpenFacts>();

/** What is known of a request; `rememberFacts` has run before. */
export function factsOf(request: Request): OpenFacts {
  const facts = known.get(request);
  if (!facts) throw new Error('rememberFacts has not run');
  return facts;
}

/** The pattern that the request matched, for the log. */
export const noteRoute = (response: Response, route: string): void => {
  response.locals['route'] = route;
};

export interface FactsOptions {
  readonly log: Logger;
  readonly now: () => number;
  readonly epoch: () => number | null;
  /** How long the request has waited for a session and for the broker; absent where it asked nothing of it. */
  readonly upstreamTiming: (
    signal: AbortSignal,
  ) => { readonly waitedMs: number; readonly answeredMs: number } | undefined;
  /** Told of every answer, for the metrics. */
  readonly onAnswer?: (answer: { route: string; method: string; status: number; durationMs: number }) => void;
}

/** The caller's own id, if it is one. */
export const requestIdOf = (given: string | string[] | undefined): string | undefined =>
  typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : undefined;

/** Given back as it came, if it is one (W3C Trace Context). */
export const traceparentOf = (given: string | string[] | undefined): string | undefined =>
  typeof given === 'string' && /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(given) ? given : undefined;

/** First in the chain: request id, deadline, caller's signal, the contract's headers, and one log line at the end. */
export function rememberFacts({ log, now, epoch, upstreamTiming, onAnswer }: FactsOptions): RequestHandler {
  return (request, response, next) => {
    const startedAt = performance.now();
    const abort = new AbortController();
    const given = request.get(HEADER.requestId);
    const facts: OpenFacts = {
      caller: null,
      requestId: requestIdOf(given) ?? randomUUID(),
      deadlineAtMs: now() + DEFAULT_DEADLINE_MS,
      signal: abort.signal,
    };
    known.set(request, facts);
    response.setHeader(HEADER.requestId, facts.requestId);
    response.setHeader(HEADER.bridgeVersion, BRIDGE_VERSION);
    const trace = traceparentOf(request.get(HEADER.traceparent));
    if (trace !== undefined) response.setHeader(HEADER.traceparent, trace);
    beforeHeaders(response, () => {
      const current = epoch();
      if (current !== null) response.setHeader(HEADER.sessionEpoch, String(current));
      const timing = upstreamTiming(facts.signal);
      const broker = timing ? `, wait;dur=${timing.waitedMs.toFixed(1)}, mt5;dur=${timing.answeredMs.toFixed(1)}` : '';
      response.setHeader(HEADER.serverTiming, `bridge;dur=${(performance.now() - startedAt).toFixed(1)}${broker}`);
    });
    response.once('close', () => {
      if (!response.writableFinished) abort.abort();
      const answer = {
        route: typeof response.locals['route'] === 'string' ? response.locals['route'] : 'unmatched',
        method: request.method,
        status: response.writableFinished ? response.statusCode : 499,
        durationMs: Math.round((performance.now() - startedAt) * 10) / 10,
      };
      const upstreamMs = upstreamTiming(facts.signal)?.answeredMs;
      log.info('request', {
        ...answer,
        ...(upstreamMs === undefined ? {} : { upstreamMs: Math.round(upstreamMs * 10) / 10 }),
        requestId: facts.requestId,
        ...(facts.caller ? { caller: facts.caller.id } : {}),
      });
      onAnswer?.(answer);
    });
    next();
  };
}

/** The deadline that the Worker sends along, epoch ms. */
export function noteDeadline(facts: OpenFacts, header: string | undefined, nowMs: number): void {
  if (header === undefined || !/^\d{1,16}$/.test(header)) return;
  facts.deadlineAtMs = Math.min(Number(header), nowMs + MAX_DEADLINE_MS);
}

/** Runs once, at the last moment where headers can still be set. */
function beforeHeaders(response: Response, run: () => void): void {
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => Response;
  response.writeHead = (...args: unknown[]): Response => {
    if (!response.headersSent) run();
    return writeHead(...args);
  };
}
