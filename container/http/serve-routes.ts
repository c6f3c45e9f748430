import type { IncomingMessage } from 'node:http';
import { admit, type AnswerForm, type TypedCall } from '../contract/admission.ts';
import { budgetOf } from '../contract/keys.ts';
import { CSV_TYPE, HEADER, LINES_TYPE } from '../contract/headers.ts';
import { decimalsAsNumbers } from '../contract/decimals.ts';
import { etagMatches, freshnessHeaders, oldestAskedMs } from '../contract/reference-data.ts';
import { RouteTable } from '../contract/route.ts';
import type { AnyRoute, RouteMatch } from '../contract/route.ts';
import type { RouteAnswer, RouteContext, RouteHandler } from '../service/handler.ts';
import type { HttpAnswer } from './answer.ts';
import type { Serve } from './api.ts';
import { HttpCall } from './call.ts';
import { etagOf, type HotAnswers } from './hot-answers.ts';
import { inForm } from './forms.ts';
import { csvOf, linesOf } from '../contract/lines.ts';
import { headerOf } from './read-request.ts';
import type { RequestFacts } from './request-facts.ts';

export interface TypedAnswer extends RouteAnswer {
  readonly route: AnyRoute;
  readonly status: number;
  readonly form: AnswerForm;
  /** Writes decimals as the caller asked for; `null` = as they are. */
  readonly convert: ((body: unknown) => unknown) | null;
}

/** By operationId. */
type Handlers = Readonly<Record<string, RouteHandler<AnyRoute>>>;

/** The typed routes as one function: match, admit, handle, write decimals as asked. */
export class TypedApi {
  readonly #table: RouteTable;
  readonly #handlers: Handlers;

  constructor(routes: readonly AnyRoute[], handlers: Handlers) {
    this.#table = new RouteTable(routes.filter((route) => handlers[route.id]));
    this.#handlers = handlers;
  }

  /** @throws BridgeError `route_not_found` · `method_not_allowed` */
  match(method: string, pathname: string): RouteMatch {
    return this.#table.match(method, pathname);
  }

  /** @throws BridgeError */
  async answer(match: RouteMatch, call: TypedCall, facts: RequestFacts): Promise<TypedAnswer> {
    const { route, input, caller, idempotencyKey, prefersMinimal, takesWhole, form, body } = await admit(match, call);
    const context: RouteContext = {
      caller,
      requestId: facts.requestId,
      address: facts.address,
      deadlineAtMs: facts.deadlineAtMs,
      signal: facts.signal,
      lane: budgetOf(caller),
      timings: facts.timings,
      idempotencyKey,
      oldestMs: oldestAskedMs((name) => call.header(name)) ?? undefined,
      prefersMinimal,
      takesWhole,
      bodyText: body?.text ?? '',
    };
    // The table holds routes with a handler only.
    const handler = this.#handlers[route.id] as RouteHandler<AnyRoute>;
    const answer = await handler(input, context);
    const convert = input.decimals === 'number' ? decimalsAsNumbers(route.answer) : null;
    return {
      ...answer,
      ...(prefersMinimal ? { headers: { ...answer.headers, [HEADER.preferenceApplied]: 'return=minimal' } } : {}),
      route,
      form,
      status: answer.status ?? route.status,
      convert,
      body: convert && !answer.rows ? convert(answer.body) : answer.body,
    };
  }
}

/** The typed API over HTTP. */
export function serveRoutes(api: TypedApi, hot?: HotAnswers): Serve {
  return async (request, facts) => {
    const { pathname, query } = targetOf(request.url ?? '');
    const match = api.match(request.method ?? '', pathname);
    facts.route = match.route.path;
    const call = Object.assign(new HttpCall(request, facts), { query });
    const startedAt = performance.now();
    const answer = await api.answer(match, call, facts);
    facts.handlerMs = performance.now() - startedAt;
    return answer.rows ? asLines(answer, answer.rows, facts) : httpAnswer(request, answer, facts, hot);
  };
}

async function asLines(
  { body, convert, route, form }: TypedAnswer,
  rows: AsyncIterable<readonly object[]>,
  facts: RequestFacts,
): Promise<HttpAnswer> {
  if (form === 'csv' && route.table)
    return { status: 200, headers: [], lines: { type: CSV_TYPE, text: await csvOf(rows, route.table) } };
  const { readAt, readAtMs } = body as { readonly readAt: string; readonly readAtMs: number };
  const items = (part: readonly object[]): readonly unknown[] =>
    convert ? (convert({ items: part }) as { items: readonly unknown[] }).items : part;
  const text = await linesOf({ rows, convert: items, readAt, readAtMs, requestId: facts.requestId });
  return { status: 200, headers: [], lines: { type: LINES_TYPE, text } };
}

/** When it was read is no part of what it is. */
const READ_TIME = /,"readAt":"[^"]*","readAtMs":\d+/;

/** The list, or 304 where the caller has the same one. */
function unlessKnown(request: IncomingMessage, text: string, headers: string[]): HttpAnswer {
  const plain = text.replace(READ_TIME, '');
  const etag = plain === text ? etagOf(text) : `W/${etagOf(plain)}`;
  return etagMatches(headerOf(request)('if-none-match'), etag)
    ? { status: 304, headers: ['etag', etag, 'cache-control', 'no-store'] }
    : { status: 200, headers: [...headers, 'etag', etag], body: text };
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
  const written = answer.form === 'json' ? undefined : inForm(answer.form, answer.route, answer.body);
  if (written) return written;
  const { status, route } = answer;
  const text = route.text === undefined ? JSON.stringify(answer.body) : String(answer.body);
  // A stored problem has a type of its own.
  const headers = Object.entries({ 'content-type': route.text ?? JSON_TYPE, ...answer.headers }).flat();
  if (!route.cacheable) {
    headers.push('cache-control', 'no-store');
    return route.conditional === true && status === 200
      ? unlessKnown(request, text, headers)
      : { status, headers, body: text };
  }
  const etag = etagOf(text);
  const { keep, freshForMs = 0 } = answer;
  if (keep && caller && status === 200)
    hot?.keep(request, { text, etag, keep, freshForMs, route: route.path, callerId: caller.id });
  const conditions = ['etag', etag, ...freshnessHeaders(freshForMs), 'vary', 'authorization, x-api-key'];
  return etagMatches(headerOf(request)('if-none-match'), etag)
    ? { status: 304, headers: conditions }
    : { status, headers: [...headers, ...conditions], body: text };
}
