import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Problem } from '../../../container/contract/errors.ts';
import { defineRoute, noParams, noQuery } from '../../../container/contract/route.ts';
import { decimal, decimalBody, instantIn, loginIn, symbolIn } from '../../../container/contract/schemas/values.ts';
import { Api } from '../../../container/http/api.ts';
import { serveRoutes, TypedApi } from '../../../container/http/serve-routes.ts';
import { handle } from '../../../container/service/handler.ts';

const read = defineRoute({
  id: 'read',
  method: 'GET',
  path: '/v1/things/{login}/{symbol}',
  tag: 'Test',
  summary: 'A read',
  scope: 'read',
  write: false,
  params: z.strictObject({ login: loginIn, symbol: symbolIn }),
  query: z.strictObject({ from: instantIn.optional() }),
  answer: z.object({ price: decimal, list: z.array(z.object({ at: decimal.nullable() })), text: z.string() }),
  status: 200,
  cacheable: 'symbols',
  logins: ({ params }) => [params.login],
  example: {},
});
const write = defineRoute({
  id: 'write',
  method: 'POST',
  path: '/v1/things',
  tag: 'Test',
  summary: 'A write',
  scope: 'trade',
  write: true,
  params: noParams,
  query: noQuery,
  body: z.strictObject({ amount: decimalBody, deep: z.unknown().optional() }),
  answer: z.object({ amount: decimal }),
  status: 201,
  example: {},
});

const api = new TypedApi([read, write], {
  ...handle(read, async ({ params }) => ({
    body: { price: '1.10780', list: [{ at: '2.50' }, { at: null }], text: params.symbol },
    freshForMs: 20_500,
  })),
  ...handle(write, async ({ body }) => ({ body: { amount: body.amount } })),
});

const front = new Api({
  log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
  now: Date.now,
  epoch: () => 1,
  authenticate: () => ({ id: 'test', scopes: ['trade'], logins: [[1001, 1010]] }),
  addressOf: () => undefined,
  behindDoor: false,
  draining: () => false,
  passthrough: () => Promise.reject(new Error('not asked here')),
  typed: serveRoutes(api),
});
const server = createServer(front.listener);
let base = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

async function post(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${base}/v1/things`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', 'idempotency-key': 'k1', ...headers },
  });
}

describe('typed routes over HTTP', () => {
  it('answer with exact decimals, as floats on request, and say how long that is true', async () => {
    const exact = await fetch(`${base}/v1/things/1001/EURUSD`);
    expect(await exact.json()).toEqual({ price: '1.10780', list: [{ at: '2.50' }, { at: null }], text: 'EURUSD' });
    // 20.5 of 60 seconds are left.
    expect(exact.headers.get('cache-control')).toBe('private, max-age=60');
    expect(exact.headers.get('age')).toBe('40');
    const floats = await fetch(`${base}/v1/things/1001/EURUSD?decimals=number`);
    expect(await floats.json()).toEqual({ price: 1.1078, list: [{ at: 2.5 }, { at: null }], text: 'EURUSD' });
  });

  it('answer 304 to whom has it already', async () => {
    const first = await fetch(`${base}/v1/things/1001/EURUSD`);
    const etag = first.headers.get('etag') ?? '';
    const again = await fetch(`${base}/v1/things/1001/EURUSD`, { headers: { 'if-none-match': `"x", W/${etag}` } });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe('');
    const other = await fetch(`${base}/v1/things/1001/GBPUSD`, { headers: { 'if-none-match': etag } });
    expect(other.status).toBe(200);
  });

  it.each(['0', '-1', '9007199254740992', '18446744073709551616', '1e3', '١٠٠١', '%00', '1001%0d%0a'])(
    'refuse the login %s',
    async (login) => {
      const answer = await fetch(`${base}/v1/things/${encodeURI(login).replaceAll('%25', '%')}/EURUSD`);
      expect(answer.status).toBe(422);
      expect(await answer.json()).toMatchObject({ code: 'invalid_field', field: 'login' });
    },
  );

  it.each(['A\r\nB', 'A|B=C', 'A=B', 'A,B', '*', '!A', 'A\\B', 'x'.repeat(10_000)])(
    'refuse the symbol %j',
    async (symbol) => {
      const answer = await fetch(`${base}/v1/things/1001/${encodeURIComponent(symbol)}`);
      expect(answer.status).toBe(422);
      expect(((await answer.json()) as Problem).field).toBe('symbol');
    },
  );

  it.each(['#AAPL', 'S&P500', 'EURUSD.m', '日経225', 'A;B', '50%', 'Gold 😀'])('take the symbol %j', async (symbol) => {
    const answer = await fetch(`${base}/v1/things/1001/${encodeURIComponent(symbol)}`);
    expect(((await answer.json()) as { text: string }).text).toBe(symbol);
  });

  it.each(['1573048380', '9999-01-01T00:00:00Z', '2026-02-31', 'yesterday', '2026-01-01T00:00:00', '1e12', ''])(
    'refuse the time %j',
    async (from) => {
      const answer = await fetch(`${base}/v1/things/1001/EURUSD?from=${encodeURIComponent(from)}`);
      expect(await answer.json()).toMatchObject({ status: 422, field: 'query.from' });
    },
  );

  it('refuse what the key may not touch, unknown and doubled parameters', async () => {
    const problem = async (path: string): Promise<Problem> => (await (await fetch(base + path)).json()) as Problem;
    expect((await problem('/v1/things/2000/EURUSD')).code).toBe('login_not_allowed');
    expect((await problem('/v1/things/1001/EURUSD?nope=1')).field).toBe('query.nope');
    expect((await problem('/v1/things/1001/EURUSD?decimals=float')).field).toBe('query.decimals');
    expect((await problem('/v1/things/1001/EURUSD?from=1&from=2')).field).toBe('query.from');
    expect((await problem('/v1/things/%E0%A4%A/EURUSD')).code).toBe('malformed_request');
    expect((await problem('/v1/nothing')).code).toBe('route_not_found');
    expect((await problem('/v1/things')).code).toBe('method_not_allowed');
  });
});

describe('bodies', () => {
  it('are taken as exact text or as floats', async () => {
    expect(await (await post('{"amount":"10.50"}')).json()).toEqual({ amount: '10.50' });
    expect(await (await post('{"amount":10.5}')).json()).toEqual({ amount: '10.5' });
  });

  it.each([
    ['truncated', '{"amount":"1', {}, 400, 'body'],
    ['empty', '', {}, 400, 'body'],
    ['a byte order mark', '\ufeff{"amount":"1"}', {}, 400, 'body'],
    ['not UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), {}, 400, 'body'],
    ['a name twice', '{"amount":"1","amount":"2"}', {}, 400, 'amount'],
    ['a name twice, escaped', '{"amount":"1","\\u0061mount":"2"}', {}, 400, 'amount'],
    ['__proto__', '{"amount":"1","__proto__":{"x":1}}', {}, 400, '__proto__'],
    ['1000 levels', `{"amount":"1","deep":${'['.repeat(1000)}${']'.repeat(1000)}}`, {}, 400, 'body'],
    ['an unknown field', '{"amount":"1","extra":1}', {}, 422, 'extra'],
    ['a wrong type', '{"amount":[1]}', {}, 422, 'amount'],
    ['an array', '[]', {}, 422, 'body'],
    ['a form', 'amount=1', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'content-type'],
    ['Latin 1', '{"amount":"1"}', { 'content-type': 'application/json; charset=latin1' }, 415, 'content-type'],
    ['gzip', gzipSync('{"amount":"1"}'), { 'content-encoding': 'gzip' }, 415, 'content-encoding'],
    ['5 MB', `{"amount":"1","deep":"${'x'.repeat(5_000_000)}"}`, {}, 413, 'body'],
    ['a bad idempotency key', '{"amount":"1"}', { 'idempotency-key': 'a b' }, 400, 'idempotency-key'],
  ])('with %s are refused by name', async (_what, body, headers, status, field) => {
    const answer = await post(body, headers);
    expect(await answer.json()).toMatchObject({ status, field });
  });

  it.each([
    ['{}', 'is missing'],
    ['{"amount":null}', 'a decimal like "1.10850"'],
    ['{"amount":1e400}', 'a decimal like "1.10850"'],
    ['[]', 'a JSON object'],
    ['{"amount":"1","extra":1}', 'one of amount, deep'],
  ])('%s are told what was expected, in plain words', async (body, expected) => {
    expect(await (await post(body)).json()).toMatchObject({ status: 422, expected });
  });

  it('of unannounced length stop at the limit', async () => {
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536).fill(32));
        if (sent > 64 * 1024 * 1024) controller.close();
      },
    });
    const answer = await fetch(`${base}/v1/things`, {
      method: 'POST',
      body: endless,
      duplex: 'half',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'k1' },
    });
    expect(answer.status).toBe(413);
    await answer.text();
    expect(sent).toBeLessThan(32 * 1024 * 1024);
  });

  it('of a write need an idempotency key', async () => {
    const answer = await fetch(`${base}/v1/things`, {
      method: 'POST',
      body: '{"amount":"1"}',
      headers: { 'content-type': 'application/json' },
    });
    expect(((await answer.json()) as Problem).code).toBe('idempotency_key_required');
  });
});
