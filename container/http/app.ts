import express, { type Express, type RequestHandler } from 'express';
import type { SessionStatus } from '../contract/control.ts';
import { BridgeError } from '../contract/errors.ts';
import { TYPED_API_PATHS } from '../contract/routes/monitoring.ts';
import type { Logger } from '../contract/logger.ts';
import type { Passthrough } from '../service/passthrough.ts';
import { noteCaller, type Authenticate } from './authenticate.ts';
import { serveDocuments } from './documents.ts';
import { healthz, readyz } from './health.ts';
import type { HotAnswers } from './hot-answers.ts';
import { servePassthrough } from './passthrough.ts';
import { answerProblems } from './problem.ts';
import { factsOf, rememberFacts, type FactsOptions } from './request-facts.ts';
import { serveRoutes, type TypedApi } from './serve-routes.ts';

/**
 * http/ is the only room that knows statuses, headers and bodies: it finds out who calls and what for, hands validated
 * input to service/, and turns what comes back or is thrown into HTTP. It knows no sessions and no Web API.
 */
export interface AppOptions extends Pick<FactsOptions, 'now' | 'onAnswer' | 'upstreamTiming'> {
  readonly log: Logger;
  readonly authenticate: Authenticate;
  /** Behind the Worker: it says what the deadline is. */
  readonly behindDoor: boolean;
  readonly session: () => SessionStatus;
  readonly draining: () => boolean;
  readonly passthrough: Passthrough;
  readonly typed: TypedApi;
  readonly hot?: HotAnswers;
  /** Handlers of other rooms, each for one exact path; they see the caller through `factsOf`. */
  readonly extra?: Readonly<Record<string, RequestHandler>>;
}

export function createApp(options: AppOptions): Express {
  const { log, session } = options;
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', false).set('case sensitive routing', true);
  app.set('strict routing', true);
  app.use(rememberFacts({ ...options, epoch: () => session().epoch }));
  app.get('/healthz', healthz);
  app.get('/readyz', readyz(session));
  app.use(serveDocuments);
  app.use(refuseWhileDraining(options.draining));
  app.use(noteCaller(options.authenticate, options.behindDoor, options.now));
  const passthrough = servePassthrough(options.passthrough);
  const typed = serveRoutes(options.typed, factsOf, options.hot);
  const extra = new Map(Object.entries(options.extra ?? {}));
  app.use((request, response, next) => {
    // A target that a URL parser would read as another host or path is nobody's route.
    if (!/^\/(?!\/)[\x21-\x5b\x5d-\x7e]*$/.test(request.url))
      throw new BridgeError('route_not_found', 'The request target is not a plain path.');
    if (/^\/api(\/|$|\?)/i.test(request.url) && !TYPED_API_PATHS.has(request.path))
      return passthrough(request, response, next);
    return (extra.get(request.path) ?? typed)(request, response, next);
  });
  app.use(answerProblems(log));
  return app;
}

/** The listener stays open to the end, so that callers are told to come back instead of being cut off. */
const refuseWhileDraining =
  (draining: () => boolean): RequestHandler =>
  (_request, response, next) => {
    if (!draining()) return next();
    response.setHeader('connection', 'close');
    throw new BridgeError('draining', {
      detail: 'The bridge shuts down; another instance takes over.',
      retryAfterMs: 2_000,
    });
  };
