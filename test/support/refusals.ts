import { expect } from 'vitest';
import { MAX_TARGET_CHARACTERS } from '../../container/contract/admission.ts';
import { TEST_KEYS } from './test-keys.ts';

/** Requests that are refused before anything is done, the same on both roads: at the Worker's door, and by the container alone. */
export interface Refusal {
  readonly name: string;
  readonly path: string;
  readonly method?: string;
  readonly key?: string | null;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly status: number;
  readonly code: string;
}

const json = { 'content-type': 'application/json' };
const order = { path: '/v1/orders', method: 'POST', key: TEST_KEYS.trade };
const keyed = { ...json, 'idempotency-key': 'one' };

export const REFUSALS: readonly Refusal[] = [
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
  {
    name: 'a webhook to an address',
    path: '/v1/webhooks',
    method: 'POST',
    key: TEST_KEYS.admin,
    headers: json,
    body: '{"url":"https://127.0.0.1/","events":["*"]}',
    status: 422,
    code: 'invalid_field',
  },
  { name: 'an unknown path', path: '/nothing', status: 404, code: 'route_not_found' },
  { name: 'a path of the container alone', path: '/internal/control', status: 404, code: 'route_not_found' },
  { name: 'an unknown path without a key', path: '/v1/nothing', key: null, status: 404, code: 'route_not_found' },
  {
    name: 'a wrong method',
    path: '/v1/accounts/1001/money',
    method: 'DELETE',
    status: 405,
    code: 'method_not_allowed',
  },
  { name: 'a bad percent-encoding', path: '/v1/symbols/%ff%fe', status: 400, code: 'malformed_request' },
  { name: 'a login that is none', path: '/v1/accounts/0', status: 422, code: 'invalid_field' },
  { name: 'a login beyond exactness', path: '/v1/accounts/9007199254740993', status: 422, code: 'invalid_field' },
  { name: 'an unknown query name', path: '/v1/accounts/1001?loginn=1', status: 422, code: 'invalid_field' },
  { name: 'a query name twice', path: '/v1/quotes?symbols=A&symbols=B', status: 422, code: 'invalid_field' },
  {
    name: 'a URL too long',
    path: `/v1/quotes?symbols=${'A'.repeat(MAX_TARGET_CHARACTERS)}`,
    status: 414,
    code: 'uri_too_long',
  },
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

/** The request of a refusal, for `fetch`. */
export const requestOf = ({
  method = 'GET',
  key = TEST_KEYS.read,
  headers = {},
  body,
}: Omit<Refusal, 'name' | 'path' | 'status' | 'code'>): RequestInit => ({
  method,
  headers: { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...headers },
  ...(body === undefined ? {} : { body }),
});

/** A problem with everything that callers rely on. */
export async function expectRefused(answer: Response, { status, code }: Refusal): Promise<void> {
  const body = (await answer.json()) as Record<string, unknown>;
  expect(body).toMatchObject({ status, code, outcome: 'not_sent', requestId: expect.any(String) as string });
  expect(answer.status).toBe(status);
  const { headers } = answer;
  expect(headers.get('content-type')).toBe('application/problem+json');
  expect(headers.get('x-request-id')).toBe(body['requestId']);
  expect(headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer realm="mt5-edge-bridge"' : null);
  expect(headers.has('allow')).toBe(status === 405);
  expect(JSON.stringify(body)).not.toContain(TEST_KEYS.read);
}
