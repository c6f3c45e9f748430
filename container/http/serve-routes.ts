import type { IncomingMessage } from 'node:http';
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
import { requireScope } from '../contract/keys.ts';
import type { Caller } from '../contract/keys.ts';
import { requireAllowed, RouteTable, singleValues, validateInput } from '../contract/route.ts';
import type { AnyRoute, RouteMatch } from '../contract/route.ts';
import type { HttpAnswer } from './answer.ts';
import type { Serve } from './api.ts';
import { cacheControl, etagMatches, etagOf, type HotAnswers } from './hot-answers.ts';
import type { RouteAnswer, RouteContext, RouteHandlers } from '../service/handler.ts';
import { headerOf, readBytes } from './read-request.ts';
import type { RequestFacts } from './request-facts.ts';

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
  match(method: string, pathname: string): RouteMatch {
    return this.#table.match(method, pathname);
  }

  /** `match` is that of the request. @throws BridgeError */
  async answer(
    request: TypedRequest,
    facts: RequestFacts,
    match = this.match(request.method, request.pathname),
  ): Promise<TypedAnswer> {
    const { route, params } = match;
    const caller = authorise(route, facts.caller);
    if (route.write && !request.idempotencyKey)
      throw new BridgeError('idempotency_key_required', {
        detail: 'A write needs an Idempotency-Key header, new for each intent and the same for its repetitions.',
        field: HEADER.idempotencyKey,
        expected: '1–255 visible ASCII characters',
      });
    const input = validateInput(route, { params, query: singleValues(request.query), body: request.body?.value });
    requireAllowed(route, input, caller);
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

/** The typed API over HTTP. */
export function serveRoutes(api: TypedApi, hot?: HotAnswers): Serve {
  return async (request, facts) => {
    const header = headerOf(request);
    const { method = '' } = request;
    const { pathname, query } = targetOf(request.url ?? '');
    // Before the body is read: a bad path or a missing scope costs nothing.
    const match = api.match(method, pathname);
    const { route } = match;
    facts.route = route.path;
    authorise(route, facts.caller);
    const idempotencyKey = header(HEADER.idempotencyKey);
    if (idempotencyKey !== undefined && !IDEMPOTENCY_KEY.test(idempotencyKey))
      throw new BridgeError('malformed_request', {
        detail: 'The idempotency key has characters that a key cannot have, or is too long.',
        field: HEADER.idempotencyKey,
        expected: '1–255 visible ASCII characters',
      });
    const body = route.body ? await readBody(request, route.bodyOptional === true) : undefined;
    const answer = await api.answer(
      {
        method,
        pathname,
        query,
        ...(body ? { body } : {}),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      },
      facts,
      match,
    );
    return httpAnswer(request, answer, facts, hot);
  };
}

const NO_QUERY = new URLSearchParams();

/** Path and query as a URL parser reads them, which has nothing to do where nothing is encoded, relative or asked. */
function targetOf(target: string): { readonly pathname: string; readonly query: URLSearchParams } {
  if (/^(?:\/[\w~-][\w.~-]*)+$/.test(target)) return { pathname: target, query: NO_QUERY };
  const { pathname, searchParams } = new URL(target, 'http://bridge.invalid');
  return { pathname, query: searchParams };
}

const JSON_TYPE = 'application/json; charset=utf-8';

function httpAnswer(
  request: IncomingMessage,
  answer: TypedAnswer,
  { caller }: RequestFacts,
  hot: HotAnswers | undefined,
): HttpAnswer {
  const text = JSON.stringify(answer.body);
  const { status } = answer;
  // A stored problem has a type of its own.
  const headers = Object.entries({ 'content-type': JSON_TYPE, ...answer.headers }).flat();
  if (!answer.route.cacheable) {
    headers.push('cache-control', 'no-store');
    return { status, headers, body: text };
  }
  const etag = etagOf(text);
  const { keep, freshForMs = 0 } = answer;
  if (keep && caller && status === 200)
    hot?.keep(request, { text, etag, keep, freshForMs, route: answer.route.path, callerId: caller.id });
  const conditions = ['etag', etag, 'cache-control', cacheControl(freshForMs), 'vary', 'authorization, x-api-key'];
  return etagMatches(headerOf(request)('if-none-match'), etag)
    ? { status: 304, headers: conditions }
    : { status, headers: [...headers, ...conditions], body: text };
}

/** @throws BridgeError 400 · 413 · 415 */
async function readBody(request: IncomingMessage, optional: boolean): Promise<{ text: string; value: unknown }> {
  const header = headerOf(request);
  if (optional && announcesNoBody(header)) return { text: '', value: {} };
  checkBodyHeaders(header);
  return parseJsonBody(await readBytes(request, MAX_BODY_BYTES, bodyTooLarge));
}
