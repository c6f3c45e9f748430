import type { Request, RequestHandler, Response } from 'express';
import { decimalsAsNumbers } from '../contract/decimals.ts';
import { BridgeError } from '../contract/errors.ts';
import { HEADER } from '../contract/headers.ts';
import {
  announcesNoBody,
  bodyTooLarge,
  checkBodyHeaders,
  MAX_BODY_BYTES,
  parseJsonBody,
} from '../contract/json-body.ts';
import { requireLogin, requireScope } from '../contract/keys.ts';
import type { Caller } from '../contract/keys.ts';
import { RouteTable, singleValues, validateInput } from '../contract/route.ts';
import type { AnyRoute } from '../contract/route.ts';
import { cacheControl, etagMatches, etagOf, type HotAnswers } from './hot-answers.ts';
import type { RouteAnswer, RouteContext, RouteHandlers } from '../service/handler.ts';

/** What is known of a request before its route is looked at. */
export interface RequestFacts {
  /** `null` = nobody: only routes without a scope answer. */
  readonly caller: Caller | null;
  readonly requestId: string;
  readonly deadlineAtMs: number;
  readonly signal: AbortSignal;
}

/** A request of the typed API, whoever carries it: HTTP, or one item of a batch. */
export interface TypedRequest {
  readonly method: string;
  readonly pathname: string;
  readonly query: URLSearchParams;
  readonly body?: { readonly text: string; readonly value: unknown };
  readonly idempotencyKey?: string;
}

export interface TypedAnswer extends RouteAnswer {
  readonly route: AnyRoute;
  readonly status: number;
}

/** The typed routes as one function: match, authorise, validate, handle, write decimals as asked. */
export class TypedApi {
  readonly #table: RouteTable;
  readonly #handlers: RouteHandlers;

  constructor(routes: readonly AnyRoute[], handlers: RouteHandlers) {
    this.#table = new RouteTable(routes.filter((route) => handlers[route.id]));
    this.#handlers = handlers;
  }

  /** @throws BridgeError `route_not_found` · `method_not_allowed` */
  route(method: string, pathname: string): AnyRoute {
    return this.#table.match(method, pathname).route;
  }

  /** @throws BridgeError */
  async answer(request: TypedRequest, facts: RequestFacts): Promise<TypedAnswer> {
    const { route, params } = this.#table.match(request.method, request.pathname);
    const caller = authorise(route, facts.caller);
    if (route.write && !request.idempotencyKey)
      throw new BridgeError('idempotency_key_required', {
        detail: 'A write needs an Idempotency-Key header, new for each intent and the same for its repetitions.',
        field: HEADER.idempotencyKey,
        expected: '1–255 visible ASCII characters',
      });
    const input = validateInput(route, { params, query: singleValues(request.query), body: request.body?.value });
    for (const login of route.logins?.(input) ?? []) requireLogin(caller, login);
    const context: RouteContext = {
      caller,
      requestId: facts.requestId,
      deadlineAtMs: facts.deadlineAtMs,
      signal: facts.signal,
      idempotencyKey: request.idempotencyKey,
      bodyText: request.body?.text ?? '',
    };
    const handler = this.#handlers[route.id];
    if (!handler) throw new BridgeError('route_not_found', `No handler for ${route.id}.`);
    const answer = await handler(input, context);
    const convert = input.decimals === 'number' ? decimalsAsNumbers(route.answer) : null;
    return {
      ...answer,
      route,
      status: answer.status ?? route.status,
      body: convert ? convert(answer.body) : answer.body,
    };
  }
}

const NOBODY: Caller = { id: 'nobody', scopes: [] };

/** @throws BridgeError `unauthenticated` · `scope_missing` */
function authorise(route: AnyRoute, caller: Caller | null): Caller {
  if (route.scope === null) return caller ?? NOBODY;
  if (!caller) throw new BridgeError('unauthenticated', 'Send a key as "Authorization: Bearer …" or "X-API-Key: …".');
  requireScope(caller, route.scope);
  return caller;
}

/** Idempotency keys: what fits in a header and in the ledger's column. */
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/** Serves the typed API over Express; what goes wrong is passed on to the error handler as BridgeError. */
export function serveRoutes(
  api: TypedApi,
  facts: (request: Request, response: Response) => RequestFacts,
  hot?: HotAnswers,
): RequestHandler {
  return async (request, response) => {
    const url = new URL(request.originalUrl, 'http://bridge.invalid');
    // Before the body is read: a bad path or a missing scope costs nothing.
    const route = api.route(request.method, url.pathname);
    response.locals['route'] = route.path;
    response.locals['route'] = route.path;
    const known = facts(request, response);
    authorise(route, known.caller);
    const idempotencyKey = request.get(HEADER.idempotencyKey);
    if (idempotencyKey !== undefined && !IDEMPOTENCY_KEY.test(idempotencyKey))
      throw new BridgeError('malformed_request', {
        detail: 'The idempotency key has characters that a key cannot have, or is too long.',
        field: HEADER.idempotencyKey,
        expected: '1–255 visible ASCII characters',
      });
    const body = route.body ? await readBody(request, route.bodyOptional === true) : undefined;
    const answer = await api.answer(
      {
        method: request.method,
        pathname: url.pathname,
        query: url.searchParams,
        ...(body ? { body } : {}),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      },
      known,
    );
    send(request, response, answer, known, hot);
  };
}

function send(
  request: Request,
  response: Response,
  answer: TypedAnswer,
  { caller }: RequestFacts,
  hot: HotAnswers | undefined,
): void {
  const text = JSON.stringify(answer.body);
  response.setHeader('content-type', 'application/json; charset=utf-8');
  // After the type, which a stored problem has its own of.
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  if (answer.route.cacheable) {
    const etag = etagOf(text);
    const { keep, freshForMs = 0 } = answer;
    if (keep && caller && answer.status === 200)
      hot?.keep(request, {
        text,
        etag,
        keep,
        freshForMs,
        route: answer.route.path,
        callerId: caller.id,
      });
    response.setHeader('etag', etag);
    response.setHeader('cache-control', cacheControl(freshForMs));
    response.setHeader('vary', 'authorization, x-api-key');
    if (etagMatches(request.get('if-none-match'), etag)) {
      response.status(304).removeHeader('content-type');
      response.end();
      return;
    }
  } else response.setHeader('cache-control', 'no-store');
  response.status(answer.status).end(request.method === 'HEAD' ? undefined : text);
}

/**
 * The body, bounded: nothing beyond the limit is kept. The stream is not destroyed, so that the refusal can still be sent.
 * @throws BridgeError 400 · 413 · 415
 */
async function readBody(request: Request, optional: boolean): Promise<{ text: string; value: unknown }> {
  if (optional && announcesNoBody((name) => request.get(name))) return { text: '', value: {} };
  checkBodyHeaders((name) => request.get(name));
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw bodyTooLarge();
    chunks.push(chunk);
  }
  return parseJsonBody(Buffer.concat(chunks));
}
