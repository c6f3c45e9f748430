import { describe, expect, it } from 'vitest';
import { admit, admitCommand, type Call, type TypedCall } from '../../../container/contract/admission.ts';
import { HEADER } from '../../../container/contract/headers.ts';
import { RouteTable } from '../../../container/contract/route.ts';
import { ROUTES } from '../../../container/contract/routes.ts';

/** What both roads ask of a request; what only one of them can be sent is tried here. */

const table = new RouteTable(ROUTES);

function callOf(method: string, headers: Readonly<Record<string, string>>, body?: string): Call {
  return {
    method,
    hasBody: body !== undefined,
    header: (name) => headers[name],
    readBody: async () => new TextEncoder().encode(body),
    charge: () => undefined,
    caller: () => ({ id: 'test', scopes: ['admin'] }),
  };
}

const typed = (method: string, path: string, headers: Readonly<Record<string, string>> = {}, body?: string) => {
  const call: TypedCall = { ...callOf(method, headers, body), query: new URLSearchParams() };
  return admit(table.match(method, path), call);
};
const raw = (method: string, path: string, headers: Readonly<Record<string, string>> = {}, body?: string) => {
  const [pathname = '', query = ''] = path.split('?');
  return admitCommand({ ...callOf(method, headers, body), pathname, query });
};

const KEY = { [HEADER.idempotencyKey]: 'one' };

describe('a body that is none', () => {
  it.each([
    ['absent', {}, undefined],
    ['of length 0 without a type', { 'content-length': '0' }, ''],
    ['of length 0 with a type', { 'content-length': '0', 'content-type': 'text/plain' }, ''],
  ])('is {} to a route that may do without: %s', async (_, headers, body) => {
    const { input } = await typed('POST', '/v1/positions/1/close', { ...KEY, ...headers }, body);
    expect(input.body).toEqual({});
  });

  it('is missing where a route needs one', async () => {
    await expect(typed('POST', '/v1/orders', { ...KEY, 'content-length': '0' }, '')).rejects.toMatchObject({
      code: 'malformed_request',
      context: { field: 'body' },
    });
  });
});

describe('a GET', () => {
  it.each([
    ['typed', () => typed('GET', '/v1/accounts/1001', { 'content-length': '2' }, '{}')],
    ['raw', () => raw('GET', '/api/user/get?login=1001', { 'content-length': '2' }, '{}')],
  ])('takes no body: %s', async (_, admitted) => {
    await expect(admitted()).rejects.toMatchObject({ code: 'malformed_request', context: { field: 'body' } });
  });
});

describe('a raw command', () => {
  it('needs an idempotency key where it changes the books, and is given as it came', async () => {
    const body = '{"Login":"1001"}';
    await expect(raw('POST', '/api/user/update', {}, body)).rejects.toMatchObject({ code: 'idempotency_key_required' });
    const admitted = await raw('POST', '/api/user/update?a=%41', { ...KEY, 'content-type': 'text/plain' }, body);
    expect(admitted).toMatchObject({ query: 'a=%41', contentType: 'text/plain', idempotencyKey: 'one' });
    expect(new TextDecoder().decode(admitted.body)).toBe(body);
  });

  it.each([
    ['a query that is not encoded', '/api/symbol/get?symbol=a b', {}, 'malformed_request'],
    ['a password in the query', '/api/user/check_password?login=1&pass%77ord=x', {}, 'malformed_request'],
    ['a body of another type', '/api/user/get', { 'content-type': 'image/png' }, 'unsupported_media_type'],
    ['a compressed body', '/api/user/get', { 'content-encoding': 'gzip' }, 'unsupported_media_type'],
  ])('is refused: %s', async (_, path, headers, code) => {
    await expect(raw('POST', path, headers, '{}')).rejects.toMatchObject({ code });
  });
});
