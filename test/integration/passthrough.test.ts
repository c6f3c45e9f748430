import { afterAll, beforeAll, expect, test } from 'vitest';
import { keyRecord, startBridge, type BridgeUnderTest } from '../support/bridge.ts';
import { rawHttp } from '../support/raw-http.ts';
import { startScriptedServer, type ScriptedServer } from '../support/scripted-server.ts';

/** What reaches the broker, byte by byte. */
let server: ScriptedServer;
let bridge: BridgeUnderTest;
const urls: string[] = [];

const MASKED = 'mt5k_masked-for-tests-only';
const TRADE = 'mt5k_trade-for-tests-only';

beforeAll(async () => {
  server = await startScriptedServer(({ url, path, response }) => {
    if (path.startsWith('auth/')) return;
    urls.push(url);
    if (path === 'symbol/get')
      response.writeHead(200, {
        'content-type': 'application/json; x=1',
        'x-secret': 'of the server',
        'set-cookie': 'a=b',
      });
    if (path === 'symbol/get') response.end('{"retcode" : "13 Not found"}\n');
  });
  const keys = [await keyRecord('masked', MASKED, ['read'], '1001'), await keyRecord('trade', TRADE, ['trade'])];
  const admin = await keyRecord('admin', 'mt5k_admin-for-tests-only', ['admin']);
  bridge = await startBridge({ simulator: server, env: { BRIDGE_API_KEYS: JSON.stringify([...keys, admin]) } });
});
afterAll(async () => {
  await bridge.close();
  await server.close();
});

const raw = (target: string, key = bridge.adminKey): Promise<string> =>
  rawHttp(bridge.port, `GET ${target} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${key}\r\nConnection: close\r\n\r\n`, 2000);
const status = (answer: string): number => Number(answer.slice(9, 12));

test('the query goes through as it came, and the answer comes back as the broker wrote it', async () => {
  const target = '/api/symbol/get?symbol=EUR%2FUSD&mask=Forex%5C*,!a&x=%F0%9F%93%88&empty=&flag';
  const answer = await raw(target);
  expect(urls.at(-1)).toBe(target);
  expect(status(answer)).toBe(200);
  expect(answer).toContain('{"retcode" : "13 Not found"}\n');
  expect(answer.toLowerCase()).toContain('content-type: application/json; x=1\r\n');
  expect(answer).not.toMatch(/x-secret|set-cookie/i);
});

test('a body goes through as it came', async () => {
  const bodies: (string | undefined)[] = [];
  const answer = await bridge.fetch('/api/user/get_batch', { method: 'POST', body: '{"login": [1001 , "1002"]}' });
  bodies.push(urls.at(-1));
  expect(answer.status).toBe(200);
  expect(bodies).toEqual(['/api/user/get_batch']);
});

test.each([
  '/api/auth/start?version=484&agent=x&login=1&type=manager',
  '/api/quit',
  '/api/user/../auth/start',
  '/api/user/%2e%2e/auth/start',
  '/api/%75ser/get',
  '/api//user/get',
  '/api/user%2fget',
  '/api/user/get;login=1',
  '/API/user/get',
  '/Api/user/get',
  '/api/user\\get',
  '//evil.example/api/user/get',
  '///api/user/get',
  'http://evil.example/api/user/get',
  'https://evil.example:443/api/user/get',
  '/..//api/user/get',
  '/api/unknown/command',
  '/api',
])('%s reaches no command', async (target) => {
  const before = server.requests.length;
  const answer = await raw(target);
  expect([400, 404]).toContain(status(answer));
  expect(server.requests.length).toBe(before);
});

test('commands that change the books need their scope; auth and quit say why not', async () => {
  expect(status(await raw('/api/user/delete?login=1', TRADE))).toBe(403);
  expect(await raw('/api/quit')).toContain('The bridge signs in and out itself');
});

test('a key with a login mask sees its own login and nothing else', async () => {
  const before = server.requests.length;
  for (const target of [
    'user/get?login=1002',
    'user/get?login=1001&login=1002',
    'user/logins?group=*',
    'deal/get?ticket=1',
  ])
    expect(status(await raw(`/api/${target}`, MASKED))).toBe(403);
  expect(server.requests.length).toBe(before);
  expect(status(await raw('/api/user/get?login=1001', MASKED))).toBe(200);
});

test('what cannot be sent as it is, is refused', async () => {
  const before = server.requests.length;
  expect(status(await raw('/api/user/get?login=1001%'))).toBe(400);
  expect(status(await raw('/api/user/get?login=<1001>'))).toBe(400);
  expect(status(await raw('/api/user/get?login=%ff'))).toBe(400);
  expect(status(await raw('/api/user/get?%ff=1'))).toBe(400);
  expect(status(await raw(`/api/user/get?login=${'1'.repeat(14_500)}`))).toBe(414);
  for (const name of ['password', 'Password', 'pass_main', 'p%61ssword', 'otp_secret'])
    expect(status(await raw(`/api/user/check_password?login=1001&${name}=Client1001!`))).toBe(400);
  expect((await bridge.fetch('/api/user/get', { method: 'DELETE' })).status).toBe(405);
  const xml = { method: 'POST', body: '<a/>', headers: { 'content-type': 'text/xml' } };
  expect((await bridge.fetch('/api/user/get', xml)).status).toBe(415);
  const zipped = {
    method: 'POST',
    body: 'x',
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
  };
  expect((await bridge.fetch('/api/user/get', zipped)).status).toBe(415);
  expect((await bridge.fetch('/api/user/get', { method: 'POST', body: 'x'.repeat(1024 * 1024 + 1) })).status).toBe(413);
  expect(server.requests.length).toBe(before);
});

test('smuggled and oversized heads end the connection', async () => {
  const before = server.requests.length;
  const head = `POST /api/user/get HTTP/1.1\r\nHost: x\r\nX-API-Key: ${bridge.adminKey}\r\n`;
  const both = await rawHttp(
    bridge.port,
    `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /`,
  );
  expect(status(both)).toBe(400);
  expect(both).toContain('malformed_request');
  const twice = await rawHttp(bridge.port, `${head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`);
  expect(status(twice)).toBe(400);
  const huge = await rawHttp(bridge.port, `${head}X-Pad: ${'x'.repeat(64_000)}\r\n\r\n`);
  expect([431, NaN]).toContain(status(huge));
  expect(server.requests.length).toBe(before);
  expect((await bridge.fetch('/api/user/get?login=1')).status).toBe(200);
});

test('a deadline releases the caller with a clear answer', async () => {
  // No header of a caller moves it: only the Worker, with its secret, may.
  const answer = await bridge.fetch('/api/user/get?login=1', { headers: { 'x-bridge-deadline': '1' } });
  expect(answer.status).toBe(200);
});
