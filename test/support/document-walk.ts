import { vi } from 'vitest';
import type { z } from 'zod';
import { createBridgeClient } from '../../container/client/index.ts';
import { ROUTES } from '../../container/contract/routes.ts';
import { PROBLEM_CONTENT_TYPE } from '../../container/contract/errors.ts';
import type { AnyRoute } from '../../container/contract/route.ts';
import { documentValidator, type AnswerFaults } from './document-validator.ts';

/** Sends the examples of the published document, one by one, to a bridge: alone, or behind its Worker. */

export interface WalkTarget {
  readonly url: string;
  readonly adminKey: string;
}

export interface WalkStep {
  readonly route: AnyRoute;
  readonly target: string;
  readonly status: number;
  readonly headers: Headers;
  /** What fits neither the route's schema nor the document's, or is no problem of the bridge; empty = all is well. */
  readonly faults: readonly string[];
}

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { name: string; in: string; example?: string | number }[];
  readonly requestBody?: { content: { 'application/json': { example?: unknown } } };
}
export type PublishedPaths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

export async function publishedPaths(url: string): Promise<PublishedPaths> {
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: PublishedPaths };
  return document.paths;
}

const json = { 'content-type': 'application/json' };

/** What the examples speak of: tickets of open and closed objects, an operation, a consumer session, a day of the archive. */
async function prepare({
  url,
  adminKey,
}: WalkTarget): Promise<{ tickets: Map<string, string>; token: string; webhook: string; day: string }> {
  const client = createBridgeClient({ baseUrl: url, key: adminKey });
  const params = { path: { login: 1001 } };
  const first = (list: { data?: { items: { ticket: string }[] } }): string => list.data?.items[0]?.ticket ?? '';
  const tickets = new Map([
    ['/v1/positions/{ticket}', first(await client.GET('/v1/accounts/{login}/positions', { params }))],
    ['/v1/orders/{ticket}', first(await client.GET('/v1/accounts/{login}/orders', { params }))],
    ['/v1/orders/history/{ticket}', first(await client.GET('/v1/accounts/{login}/orders/history', { params }))],
    ['/v1/deals/{ticket}', first(await client.GET('/v1/accounts/{login}/deals', { params }))],
  ]);
  const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(url + path, {
      method: 'POST',
      headers: { ...json, authorization: `Bearer ${adminKey}`, ...headers },
      body: JSON.stringify(body),
    });
  await post('/v1/accounts/1002/balance', { kind: 'balance', amount: '1.00' }, { 'idempotency-key': 'order-4711' });
  const session = await post('/v1/sessions', { login: 1001, password: 'Client1001!' });
  const { token } = (await session.json()) as { token: string };
  // Of a name that is nobody's (RFC 2606), and of what does not happen.
  const wish = { url: 'https://hooks.example.com/mt5', events: ['margin.*'] };
  const made = (await (await post('/v1/webhooks', wish)).json()) as { webhook?: { id: string } };
  const days = (): Promise<Response> =>
    fetch(`${url}/v1/archive/deals`, { headers: { authorization: `Bearer ${adminKey}` } });
  const day = await vi.waitFor(async () => {
    const answer = await days();
    const { items } = (await answer.json()) as { items?: { day: string }[] };
    // Where one is kept, its first day comes in a moment.
    if (answer.status === 200 && items?.length === 0) throw new Error('the archive is empty');
    return items?.[0]?.day ?? '2026-01-30';
  }, 10_000);
  return { tickets, token, webhook: made.webhook?.id ?? '', day };
}

/** Reads first, then what changes; what ends things last. */
const LAST = ['endCurrentSession', 'revokeSession', 'haltTrading', 'resumeTrading', 'adminSleep', 'adminWarm'];
const rank = ({ method, id }: AnyRoute): number => (method === 'GET' ? 0 : 1 + Math.max(0, LAST.indexOf(id) + 1));

export async function* walkDocument(
  bridge: WalkTarget,
  wanted: (route: AnyRoute) => boolean,
  /** Added to every query. */
  more: Readonly<Record<string, string>> = {},
): AsyncGenerator<WalkStep, void, undefined> {
  const { tickets, token, webhook, day } = await prepare(bridge);
  const paths = await publishedPaths(bridge.url);
  const documented = await documentValidator(bridge.url, more['decimals'] === 'number' ? 'number' : 'string');
  for (const route of ROUTES.filter((each) => wanted(each)).sort((a, b) => rank(a) - rank(b))) {
    const operation = paths[route.path]?.[route.method.toLowerCase()];
    if (!operation) throw new Error(`${route.id} is not in the document`);
    let target = route.path;
    const query = new URLSearchParams(more);
    for (const { name, in: place, example } of operation.parameters) {
      if (example === undefined) continue;
      const known = name === 'day' ? day : name === 'ticket' ? tickets.get(route.path) : undefined;
      const value = route.id === 'listWebhookDeliveries' && name === 'id' ? webhook : (known ?? String(example));
      if (place === 'path') target = target.replace(`{${name}}`, encodeURIComponent(value));
      else if (place === 'query') query.set(name, value);
    }
    const body = operation.requestBody?.content['application/json'].example;
    // Only a consumer session has a current session.
    const key = route.path === '/v1/sessions/current' ? token : bridge.adminKey;
    if (query.size > 0) target += `?${query.toString()}`;
    const answer = await fetch(bridge.url + target, {
      method: route.method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(route.write ? { 'idempotency-key': `walk-${route.id}` } : {}),
        ...(body === undefined ? {} : json),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    yield {
      route,
      target,
      status: answer.status,
      headers: answer.headers,
      faults: await faultsOf(route, answer, documented),
    };
  }
}

async function faultsOf(route: AnyRoute, answer: Response, documented: AnswerFaults): Promise<readonly string[]> {
  const text = await answer.text();
  const contentType = answer.headers.get('content-type') ?? '';
  if (answer.status >= 400 && contentType !== PROBLEM_CONTENT_TYPE) return [`no problem: ${text.slice(0, 200)}`];
  const told: unknown = contentType.startsWith('text/') ? text : JSON.parse(text);
  const faults = documented({ path: route.path, method: route.method, status: answer.status, contentType }, told);
  if (faults.length > 0 || answer.status >= 400 || isInNumbers(answer)) return faults;
  const { error, data } = (route.answer as z.ZodType).safeParse(told);
  if (error) return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  return undocumented(told, data, '');
}

/** The route's own schema is of exact decimals. */
const isInNumbers = ({ url }: Response): boolean => new URL(url).searchParams.get('decimals') === 'number';

/** Parsing leaves out what the schema does not name. */
function undocumented(told: unknown, known: unknown, at: string): string[] {
  if (typeof told !== 'object' || told === null) return [];
  return Object.entries(told).flatMap(([name, value]) =>
    Object.hasOwn(known as object, name)
      ? undocumented(value, (known as Record<string, unknown>)[name], `${at}.${name}`)
      : [`${at}.${name}: not in the document`],
  );
}
