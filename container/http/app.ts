import express, { type ErrorRequestHandler, type RequestHandler } from 'express';
import type { RequestListener } from 'node:http';
import { publicDocument } from '../contract/documents.ts';
import { admit, type AdmitOptions, answerProblem, Api, type ApiOptions } from './api.ts';
import type { ConsolePage } from './console.ts';
import { serveDocuments } from './documents.ts';
import { healthz, type Readiness, readyz } from './health.ts';
import { splitTarget } from './read-request.ts';
import { factsOf, type FactsOptions, OpenFacts, rememberFacts } from './request-facts.ts';

/**
 * http/ is the only room that knows statuses, headers and bodies: it finds out who calls and what for, hands validated
 * input to service/, and turns what comes back or is thrown into HTTP. It knows no sessions and no Web API.
 */
export interface AppOptions extends ApiOptions, Readiness, Omit<FrameOptions, 'ready'> {}

/** What is served around the API. */
export interface FrameOptions extends FactsOptions, AdmitOptions {
  /** `/readyz`; absent = it is the API's. */
  readonly ready?: RequestHandler;
  /** Handlers of other rooms, each for one exact path; they see the caller through `factsOf`. */
  readonly extra?: Readonly<Record<string, RequestHandler>>;
  readonly console: ConsolePage;
}

export const createApp = (options: AppOptions): RequestListener =>
  framed({ ...options, ready: readyz(options) }, new Api(options).listener);

/** The API without, everything else with the framework: health, documents, event streams. */
export function framed(options: FrameOptions, api: RequestListener): RequestListener {
  const extra = new Map(Object.entries(options.extra ?? {}));
  const framework = createFramework(options, extra);
  const health = new Set(['/healthz', '/health', ...(options.ready ? ['/readyz'] : [])]);
  return (request, response) => {
    const [path] = splitTarget(request.url ?? '');
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const isPublic = health.has(path) || options.console.paths.has(path) || publicDocument(path) !== undefined;
    const isFramed = extra.has(path) || (isRead && isPublic);
    return (isFramed ? framework : api)(request, response);
  };
}

function createFramework(options: FrameOptions, extra: ReadonlyMap<string, RequestHandler>): RequestListener {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', false).set('case sensitive routing', true);
  app.set('strict routing', true);
  const openFacts: RequestHandler = (request, response, next) => {
    const facts = new OpenFacts(request, response, options);
    rememberFacts(request, facts);
    facts.route = request.path;
    setHeaders(response, facts.commonHeaders());
    next();
  };
  const answerProblems: ErrorRequestHandler = (thrown: unknown, request, response, _next) =>
    answerProblem(options.log, thrown, request, response, factsOf(request));
  app.use(openFacts);
  app.get(['/healthz', '/health'], healthz);
  if (options.ready) app.get('/readyz', options.ready);
  app.use(serveDocuments);
  app.use(options.console.serve);
  app.use(async (request, _response, next) => {
    await admit(request, factsOf(request), options);
    next();
  });
  app.use((request, response, next) => extra.get(request.path)?.(request, response, next));
  app.use(answerProblems);
  return app;
}

/** The framework's answers are made at once: what every answer has is set when the request comes. */
function setHeaders(response: express.Response, headers: readonly string[]): void {
  for (let i = 0; i + 1 < headers.length; i += 2) response.setHeader(headers[i] ?? '', headers[i + 1] ?? '');
}
