import { runInDurableObject, SELF } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it } from 'vitest';
import { ROUTES } from '../../container/contract/routes.ts';
import { placeBroker } from '../../worker/placement.ts';
import { TEST_KEYS } from '../support/test-keys.ts';
import { FakeBridge } from './fake-bridge.ts';
import { FakeContainer } from './fake-container.ts';
import type { BridgeContainer } from './worker.ts';

const id = env.BRIDGE.idFromName(placeBroker('main', 1));
const stub = env.BRIDGE.get(id) as DurableObjectStub<BridgeContainer>;
const container = FakeContainer.of(id.toString());

interface Case {
  readonly name: string;
  readonly path: string;
  readonly method?: string;
  readonly key?: string | null;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly status: number;
  readonly code: string;
}

function send({
  path,
  method = 'GET',
  key = TEST_KEYS.read,
  headers = {},
  body,
}: Omit<Case, 'name' | 'status' | 'code'>) {
  return SELF.fetch(`https://bridge.example${path}`, {
    method,
    headers: { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...headers },
    ...(body === undefined ? {} : { body }),
  });
}

const json = { 'content-type': 'application/json' };
const order = { path: '/v1/orders', method: 'POST', key: TEST_KEYS.trade };
const keyed = { ...json, 'idempotency-key': 'one' };

const refusals: readonly Case[] = [
  { name: 'no key', path: '/api/user/get?login=1001', key: null, status: 401, code: 'unauthenticated' },
  { name: 'a wrong key', path: '/api/user/get?login=1001', key: 'mt5k_wrong', status: 401, code: 'unauthenticated' },
  {
    name: 'an empty key',
    path: '/v1/accounts/1001',
    key: null,
    headers: { 'x-api-key': '' },
    status: 401,
    code: 'unauthenticated',
  },
  {
    name: 'two different keys',
    path: '/v1/accounts/1001',
    headers: { 'x-api-key': TEST_KEYS.trade },
    status: 401,
    code: 'unauthenticated',
  },
  {
    name: 'a key in the URL',
    path: `/v1/accounts/1001?key=${TEST_KEYS.read}`,
    key: null,
    status: 401,
    code: 'unauthenticated',
  },
  {
    name: 'an unknown session token',
    path: '/v1/accounts/1001',
    key: 'mt5s_unknown',
    status: 401,
    code: 'unauthenticated',
  },
  { name: 'an unknown path', path: '/nothing', status: 404, code: 'route_not_found' },
  { name: 'a path of the container alone', path: '/internal/control', status: 404, code: 'route_not_found' },
  { name: 'an unknown path without a key', path: '/v1/nothing', key: null, status: 404, code: 'route_not_found' },
  { name: 'a wrong method', path: '/v1/accounts/1001', method: 'DELETE', status: 405, code: 'method_not_allowed' },
  { name: 'a bad percent-encoding', path: '/v1/symbols/%ff%fe', status: 400, code: 'malformed_request' },
  { name: 'a login that is none', path: '/v1/accounts/0', status: 422, code: 'invalid_field' },
  { name: 'a login beyond exactness', path: '/v1/accounts/9007199254740993', status: 422, code: 'invalid_field' },
  { name: 'an unknown query name', path: '/v1/accounts/1001?loginn=1', status: 422, code: 'invalid_field' },
  { name: 'a query name twice', path: '/v1/quotes?symbols=A&symbols=B', status: 422, code: 'invalid_field' },
  { name: 'a URL too long', path: `/v1/quotes?symbols=${'A'.repeat(9000)}`, status: 414, code: 'uri_too_long' },
  {
    name: 'a scope that the key lacks',
    ...order,
    key: TEST_KEYS.read,
    headers: keyed,
    body: '{}',
    status: 403,
    code: 'scope_missing',
  },
  {
    name: 'an admin route with a trade key',
    path: '/admin/journal',
    key: TEST_KEYS.trade,
    status: 403,
    code: 'scope_missing',
  },
  {
    name: 'a login outside the mask',
    path: '/v1/accounts/1002',
    key: TEST_KEYS.masked,
    status: 403,
    code: 'login_not_allowed',
  },
  {
    name: 'a login outside the mask in a body',
    ...order,
    key: TEST_KEYS.masked,
    headers: keyed,
    body: '{"login":1002,"symbol":"EURUSD","side":"buy","type":"market","volume":"0.10"}',
    status: 403,
    code: 'login_not_allowed',
  },
  {
    name: 'a write without a key of its own',
    ...order,
    headers: json,
    body: '{}',
    status: 400,
    code: 'idempotency_key_required',
  },
  {
    name: 'a bad operation key',
    ...order,
    headers: { ...json, 'idempotency-key': 'a b' },
    body: '{}',
    status: 400,
    code: 'malformed_request',
  },
  {
    name: 'a body of another type',
    ...order,
    headers: { ...keyed, 'content-type': 'text/plain' },
    body: '{}',
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    name: 'a compressed body',
    ...order,
    headers: { ...keyed, 'content-encoding': 'gzip' },
    body: '{}',
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    name: 'a body too large',
    ...order,
    headers: keyed,
    body: `{"x":"${'y'.repeat(300_000)}"}`,
    status: 413,
    code: 'payload_too_large',
  },
  {
    name: 'a body that is no JSON',
    ...order,
    headers: keyed,
    body: '{"login":',
    status: 400,
    code: 'malformed_request',
  },
  {
    name: 'a body nested too deep',
    ...order,
    headers: keyed,
    body: '['.repeat(1000),
    status: 400,
    code: 'malformed_request',
  },
  {
    name: 'a field that is not valid',
    ...order,
    headers: keyed,
    body: '{"login":1001,"symbol":"EURUSD","side":"up"}',
    status: 422,
    code: 'invalid_field',
  },
  {
    name: 'a command not on the list',
    path: '/api/server/restart',
    key: TEST_KEYS.admin,
    status: 404,
    code: 'command_not_passed',
  },
  {
    name: 'the sign-in commands',
    path: '/api/auth/start?login=1000',
    key: TEST_KEYS.admin,
    status: 404,
    code: 'command_not_passed',
  },
  { name: 'quit', path: '/api/quit', key: TEST_KEYS.admin, status: 404, code: 'command_not_passed' },
  { name: 'a command in other letters', path: '/api/User/Get?login=1001', status: 404, code: 'command_not_passed' },
  {
    name: 'a command behind an encoded slash',
    path: '/api/user%2fget?login=1001',
    status: 404,
    code: 'command_not_passed',
  },
  { name: 'a command behind dots', path: '/api/%2e%2e/v1/user/get', status: 404, code: 'route_not_found' },
  { name: 'a command behind two slashes', path: '/api//user/get?login=1001', status: 404, code: 'command_not_passed' },
  {
    name: 'a command by PUT',
    path: '/api/user/get?login=1001',
    method: 'PUT',
    status: 405,
    code: 'method_not_allowed',
  },
  {
    name: 'a mutating command with a read key',
    path: '/api/user/update?login=1001',
    status: 403,
    code: 'scope_missing',
  },
  {
    name: 'a mutating command with a key that has limits',
    path: '/api/order/delete?ticket=1',
    key: TEST_KEYS.limited,
    status: 403,
    code: 'limit_exceeded',
  },
  {
    name: 'a masked key on a command without logins',
    path: '/api/tick/last?symbol=EURUSD',
    key: TEST_KEYS.masked,
    status: 403,
    code: 'login_not_allowed',
  },
  {
    name: 'a cursor that no list has given',
    path: '/v1/accounts/1001/positions?cursor=abc',
    status: 422,
    code: 'invalid_field',
  },
  {
    name: 'a masked key on another login',
    path: '/api/user/get?login=1002',
    key: TEST_KEYS.masked,
    status: 403,
    code: 'login_not_allowed',
  },
  {
    name: 'a masked key on a list with another login',
    path: '/api/user/get_batch?login=1001,1002',
    key: TEST_KEYS.masked,
    status: 403,
    code: 'login_not_allowed',
  },
];

describe('refusals wake nothing', () => {
  afterEach(() => expect(container.starts).toHaveLength(0));

  it.each(refusals)('$name: $status $code', async ({ status, code, ...request }) => {
    const answer = await send(request);
    const body = await answer.json<Record<string, unknown>>();
    expect(body).toMatchObject({ status, code, outcome: 'not_sent', requestId: expect.any(String) as string });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.headers.get('x-request-id')).toBe(body['requestId']);
    expect(JSON.stringify(body)).not.toContain(TEST_KEYS.read);
  });

  it('every route of the contract that needs a key refuses without one, and its scope without it', async () => {
    for (const route of ROUTES.filter(({ scope }) => scope !== null)) {
      const path = route.path.replaceAll(/\{\w+\}/g, '1001');
      const nobody = await send({ path, method: route.method, key: null });
      expect([route.id, nobody.status]).toEqual([route.id, 401]);
      await nobody.body?.cancel();
      if (route.scope === 'read') continue;
      const reader = await send({ path, method: route.method });
      expect([route.id, reader.status]).toEqual([route.id, 403]);
      await reader.body?.cancel();
    }
  });

  it('health, readiness and status', async () => {
    for (const path of ['/healthz', '/readyz', '/v1/status']) {
      const answer = await send({ path });
      expect([path, answer.status]).toEqual([path, 200]);
      await answer.body?.cancel();
    }
  });

  it('CORS is closed: an unknown origin gets no header, its preflight no leave', async () => {
    const answer = await send({ path: '/healthz', headers: { origin: 'https://evil.example' } });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    const preflight = await send({
      path: '/v1/accounts/1001',
      method: 'OPTIONS',
      key: null,
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'GET' },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
    expect(preflight.status).toBe(405);
    await preflight.body?.cancel();
  });
});

describe('what is let through', () => {
  const programs: FakeBridge[] = [];
  container.program = (start) => {
    const program = new FakeBridge(start, {
      answer: async (request) =>
        Response.json({ headers: Object.fromEntries(request.headers), body: await request.text() }),
    });
    programs.push(program);
    return program;
  };
  afterEach(() => runInDurableObject(stub, (bridge) => bridge.fake.running && bridge.fake.exit(0)));
  const forwarded = (answer: Response) => answer.json<{ headers: Record<string, string>; body: string }>();

  it('carries the caller, the deadline and the trace, and nothing that a caller made up or should keep', async () => {
    const answer = await send({
      path: '/api/user/get?login=1001',
      key: TEST_KEYS.masked,
      headers: {
        'x-request-id': 'my-request',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        'x-bridge-caller': '{"id":"root","scopes":["admin"]}',
        'x-bridge-start-secret': 'guess',
        'x-bridge-deadline': '1',
        cookie: 'a=b',
        'x-forwarded-for': '10.0.0.1',
        'cf-container-target-port': '22',
        connection: 'upgrade',
      },
    });
    const { headers } = await forwarded(answer);
    expect(JSON.parse(headers['x-bridge-caller'] ?? '')).toEqual({
      id: 'masked',
      scopes: ['trade'],
      logins: [
        [1001, 1001],
        [1005, 1010],
      ],
    });
    expect(headers).toMatchObject({
      'x-request-id': 'my-request',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'x-bridge-start-secret': container.starts.at(-1)?.env['BRIDGE_START_SECRET'],
    });
    expect(Number(headers['x-bridge-deadline'])).toBeGreaterThan(Date.now());
    for (const name of [
      'authorization',
      'x-api-key',
      'cookie',
      'x-forwarded-for',
      'cf-container-target-port',
      'x-bridge-replay',
    ])
      expect(headers).not.toHaveProperty(name);
    expect(answer.headers.get('x-request-id')).toBe('my-request');
    expect(answer.headers.get('ratelimit-policy')).toBe('"key";q=2000;w=4');
    expect(answer.headers.get('server-timing')).toMatch(/edge;dur=\d+/);
  });

  it('carries a body byte for byte', async () => {
    const body = '{"Login":  1001,"Comment":"ä\\u00e4"}';
    const answer = await send({ path: '/api/user/get', method: 'POST', body });
    expect((await forwarded(answer)).body).toBe(body);
  });

  it('a request id that could break a log line is replaced', async () => {
    const answer = await send({ path: '/healthz', headers: { 'x-request-id': 'a b;c' } });
    expect(answer.status).toBe(200);
    const other = await send({ path: '/v1/status', headers: { 'x-request-id': 'a b;c' } });
    expect(other.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});
