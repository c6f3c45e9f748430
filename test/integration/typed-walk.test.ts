import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBridgeClient } from '../../container/contract/client/index.ts';
import { DOCUMENTED_ROUTES } from '../../container/contract/documents.ts';
import { ERRORS, type Problem } from '../../container/contract/errors.ts';
import type { AnyRoute } from '../../container/contract/route.ts';
import { startSimulator, type Simulator } from '../simulator/server.ts';
import { type BridgeUnderTest, startBridge } from '../support/bridge.ts';

/** Every path of the published document, answered: the examples that it prints are what is sent. */

let simulator: Simulator;
let bridge: BridgeUnderTest;
/** Tickets of objects that are there now, by the path that takes them. */
const tickets = new Map<string, string>();
let token = '';

beforeAll(async () => {
  simulator = await startSimulator();
  bridge = await startBridge({ simulator, env: { ENABLE_PROFILING: 'true' } });
  const client = createBridgeClient({ baseUrl: bridge.url, key: bridge.readKey });
  const params = { path: { login: 1001 } };
  const first = (list: { data?: { items: { ticket: string }[] } }): string => list.data?.items[0]?.ticket ?? '';
  tickets.set('/v1/positions/{ticket}', first(await client.GET('/v1/accounts/{login}/positions', { params })));
  tickets.set('/v1/orders/{ticket}', first(await client.GET('/v1/accounts/{login}/orders', { params })));
  tickets.set(
    '/v1/orders/history/{ticket}',
    first(await client.GET('/v1/accounts/{login}/orders/history', { params })),
  );
  tickets.set('/v1/deals/{ticket}', first(await client.GET('/v1/accounts/{login}/deals', { params })));
  const session = await bridge.fetch('/v1/sessions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login: 1001, password: 'Client1001!' }),
  });
  ({ token } = (await session.json()) as { token: string });
  // The operation that the document's example asks for.
  await bridge.fetch('/v1/accounts/1002/balance', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'order-4711' },
    body: JSON.stringify({ kind: 'balance', amount: '1.00' }),
  });
});
afterAll(async () => {
  await bridge.close();
  await simulator.close();
});

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { name: string; in: string; example?: string | number }[];
  readonly requestBody?: { content: { 'application/json': { example?: unknown } } };
}

const published = async (): Promise<Record<string, Record<string, Operation>>> => {
  const document = (await (await bridge.fetch('/openapi.json')).json()) as {
    paths: Record<string, Record<string, Operation>>;
  };
  return document.paths;
};

function request(path: string, method: string, operation: Operation): { target: string; init: RequestInit } {
  let target = path;
  const query = new URLSearchParams();
  for (const { name, in: place, example } of operation.parameters) {
    if (example === undefined) continue;
    const value = name === 'ticket' ? (tickets.get(path) ?? String(example)) : String(example);
    if (place === 'path') target = target.replace(`{${name}}`, encodeURIComponent(value));
    else if (place === 'query') query.set(name, value);
  }
  const body = operation.requestBody?.content['application/json'].example;
  const headers: Record<string, string> = { 'idempotency-key': `walk-${operation.operationId}` };
  if (body !== undefined) headers['content-type'] = 'application/json';
  return {
    target: query.size ? `${target}?${query.toString()}` : target,
    init: { method: method.toUpperCase(), headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) },
  };
}

/** Answered by the Durable Object or by another room alone: here only that they are in the document. */
const answeredHere = (route: AnyRoute, served: ReadonlySet<string>): boolean => served.has(route.id);

describe('the published document', () => {
  it('holds every route, once', async () => {
    const paths = await published();
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => `${operationId} ${method.toUpperCase()} ${path}`),
    );
    expect(documented.sort()).toEqual(
      DOCUMENTED_ROUTES.map(({ id, method, path }) => `${id} ${method} ${path}`).sort(),
    );
  });

  it('has examples that are answered as its schemas say', async () => {
    const { operations } = (await (await bridge.fetch('/v1/capabilities')).json()) as { operations: string[] };
    const served = new Set(operations);
    const reads = DOCUMENTED_ROUTES.filter((route) => route.method === 'GET' && answeredHere(route, served));
    expect(reads.length).toBeGreaterThan(35);
    const paths = await published();
    for (const route of reads) {
      const operation = paths[route.path]?.[route.method.toLowerCase()];
      if (!operation) throw new Error(`${route.id} is not in the document`);
      const { target, init } = request(route.path, route.method, operation);
      // Only a consumer session has a current session.
      const headers = route.id === 'getCurrentSession' ? { authorization: `Bearer ${token}` } : init.headers;
      const answer = await bridge.fetch(target, { ...init, ...(headers ? { headers } : {}) });
      const body: unknown = await answer.json();
      expect(answer.status, `${route.id} ${target} ${JSON.stringify(body).slice(0, 300)}`).toBe(route.status);
      const parsed = route.answer.safeParse(body);
      expect(parsed.error?.issues.slice(0, 3) ?? [], route.id).toEqual([]);
      expect(answer.headers.get('etag') !== null, route.id).toBe(route.cacheable === true);
    }
  });

  it('shows every error of the table, as the code has them', async () => {
    const document = (await (await bridge.fetch('/openapi.json')).json()) as { info: { description: string } };
    const page = await (await bridge.fetch('/docs')).text();
    for (const [code, { status, title, retry, outcome }] of Object.entries(ERRORS)) {
      expect(document.info.description).toContain(`| \`${code}\` | ${status} | ${title} | ${retry} | ${outcome} |`);
      expect(page).toContain(`<code>${code}</code></td><td>${status}</td>`);
    }
  });

  it('is a page that loads nothing from elsewhere', async () => {
    const answer = await bridge.fetch('/docs');
    const page = await answer.text();
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(
      [...page.matchAll(/(?:src|href)="([^"]+)"/g)]
        .map((match) => match[1])
        .filter((link) => !/^[#/](?!\/)/.test(link ?? '')),
    ).toEqual([]);
    for (const { id } of DOCUMENTED_ROUTES) expect(page).toContain(`id="${id}"`);
  });
});

describe('the batch', () => {
  const batch = async (requests: unknown, key = bridge.readKey): Promise<{ status: number; body: BatchBody }> => {
    const answer = await fetch(`${bridge.url}/v1/batch`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ requests }),
    });
    return { status: answer.status, body: (await answer.json()) as BatchBody };
  };
  interface BatchBody {
    readonly items: readonly { id: string | null; status: number; body: unknown; problem: Problem | null }[];
    readonly field?: string;
  }

  it('answers each read as it would be answered alone, in order', async () => {
    const { body } = await batch([
      { id: 'a', path: '/v1/accounts/1001' },
      { path: '/v1/accounts/999999' },
      { id: 'c', path: '/v1/symbols/EURUSD?decimals=number' },
      { path: '/v1/accounts/0' },
      { path: '/v1/nothing' },
      { path: '/v1/../admin/journal' },
      { path: '/v1/%2e%2e/admin/profile' },
    ]);
    expect(body.items.map(({ id, status }) => [id, status])).toEqual([
      ['a', 200],
      [null, 404],
      ['c', 200],
      [null, 422],
      [null, 404],
      [null, 404],
      [null, 404],
    ]);
    const alone: unknown = await (await bridge.fetch('/v1/symbols/EURUSD?decimals=number')).json();
    expect(body.items[2]?.body).toEqual(alone);
    expect(body.items[3]?.problem?.field).toBe('login');
  });

  it('takes 1 to 50 reads', async () => {
    const path = '/v1/keys/self';
    expect((await batch([])).body.field).toBe('requests');
    expect((await batch(Array.from({ length: 51 }, () => ({ path })))).status).toBe(422);
    const full = await batch(Array.from({ length: 50 }, () => ({ path })));
    expect(full.body.items.every(({ status }) => status === 200)).toBe(true);
    expect((await batch([{ path: '//evil.example/v1/x' }])).status).toBe(422);
  });
});

describe('monitoring', () => {
  it('tells what was measured', async () => {
    const metrics = (await (await bridge.fetch('/performance/metrics')).json()) as {
      requests: { total: number; byStatus: Record<string, number> };
      upstream: { signIns: number };
    };
    expect(metrics.requests.total).toBeGreaterThan(10);
    expect(metrics.requests.byStatus['2xx']).toBeGreaterThan(10);
    expect(metrics.upstream.signIns).toBeGreaterThanOrEqual(1);
  });

  it('takes a CPU profile for administrators only', async () => {
    const asReader = await fetch(`${bridge.url}/admin/profile?seconds=1`, {
      method: 'POST',
      headers: { 'x-api-key': bridge.readKey },
    });
    expect(asReader.status).toBe(403);
    const profile = await bridge.fetch('/admin/profile?seconds=1', { method: 'POST' });
    expect(profile.status).toBe(200);
    expect(((await profile.json()) as { nodes: unknown[] }).nodes.length).toBeGreaterThan(0);
  });
});
