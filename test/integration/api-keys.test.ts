import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { hashKey } from '../../container/contract/keys.ts';
import { startSimulator, type Simulator } from '../simulator/server.ts';
import { keyRecord, startBridge, type BridgeUnderTest } from '../support/bridge.ts';

/** Keys that are made, narrowed, rotated and revoked while the bridge runs; and what a key bound to some logins is shown. */

let simulator: Simulator;
let bridge: BridgeUnderTest;
let nowMs = 0;
beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 1 });
});
afterAll(() => simulator.close());

const ADMIN = 'mt5k_keys_admin';
async function start(extra: readonly object[] = [], env: Record<string, string> = {}): Promise<BridgeUnderTest> {
  const keys = [await keyRecord('admin', ADMIN, ['admin']), ...extra];
  return startBridge({
    simulator,
    now: () => Date.now() + nowMs,
    env: { BRIDGE_API_KEYS: JSON.stringify(keys), ...env },
  });
}
beforeEach(async () => {
  nowMs = 0;
  bridge = await start();
  return () => bridge.close();
});

async function call(key: string, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const answer = await fetch(bridge.url + path, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, never> };
}

async function make(body: Record<string, unknown>): Promise<string> {
  const made = await call(ADMIN, 'POST', '/admin/keys', body);
  expect(made.status).toBe(201);
  return String(made.body['key']);
}
const read = (key: string, headers: Record<string, string> = {}) =>
  call(key, 'GET', '/v1/accounts/1001', undefined, headers).then(({ status }) => status);

it('a key is made, used, narrowed and revoked; what it opened ends', async () => {
  const key = await make({ id: 'desk', scopes: ['trade'] });
  expect(await read(key)).toBe(200);
  const session = await call(key, 'POST', '/v1/sessions', { login: 1001, password: 'Client1001!' });
  const token = String(session.body['token']);
  expect(await read(token)).toBe(200);
  const socket = new WebSocket(`${bridge.url.replace('http', 'ws')}/v1/stream`, {
    headers: { authorization: `Bearer ${key}` },
  });
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  await new Promise((resolve) => socket.on('open', resolve));
  const changed = await call(ADMIN, 'PATCH', '/admin/keys/desk', { scopes: ['read'], logins: '1001' });
  expect(changed.body).toMatchObject({ id: 'desk', scopes: ['read'], logins: '1001', source: 'admin' });
  expect(await closed).toBe(4001);
  expect(await read(token)).toBe(401);
  expect(await read(key)).toBe(200);
  expect((await call(key, 'GET', '/v1/accounts/1002')).status).toBe(403);
  expect((await call(ADMIN, 'PATCH', '/admin/keys/desk', { logins: null })).body).toMatchObject({ logins: null });
  expect((await call(ADMIN, 'DELETE', '/admin/keys/desk')).body).toEqual({ revoked: true });
  expect(await read(key)).toBe(401);
  const { body } = await call(ADMIN, 'GET', '/admin/keys');
  expect(JSON.stringify(body)).not.toContain('sha256');
  expect(body['items']).toMatchObject([
    { id: 'admin', source: 'variable' },
    { id: 'desk', lastUsedAt: expect.any(String) },
  ]);
});

it('a cached answer is not given to a key that was revoked', async () => {
  const key = await make({ id: 'cached', scopes: ['read'] });
  for (let n = 0; n < 3; n++) expect((await call(key, 'GET', '/v1/symbols/EURUSD')).status).toBe(200);
  await call(ADMIN, 'DELETE', '/admin/keys/cached');
  expect((await call(key, 'GET', '/v1/symbols/EURUSD')).status).toBe(401);
});

it('rotation: both secrets open until it is finished', async () => {
  const first = await make({ id: 'turn', scopes: ['read'] });
  const second = String((await call(ADMIN, 'POST', '/admin/keys/turn/rotate', {})).body['key']);
  expect([await read(first), await read(second)]).toEqual([200, 200]);
  expect((await call(ADMIN, 'POST', '/admin/keys/turn/rotate/finish')).body).toMatchObject({ secrets: 1 });
  expect([await read(first), await read(second)]).toEqual([401, 200]);
  const third = String((await call(ADMIN, 'POST', '/admin/keys/turn/rotate', { keepOld: false })).body['key']);
  expect([await read(second), await read(third)]).toEqual([401, 200]);
});

it('an expired key is 401, one from another network 403', async () => {
  const expiresAt = new Date(Date.now() + 60_000).toISOString();
  const brief = await make({ id: 'brief', scopes: ['read'], expiresAt });
  expect(await read(brief)).toBe(200);
  nowMs = 61_000;
  expect(await read(brief)).toBe(401);
  const away = await make({ id: 'away', scopes: ['read'], ips: ['203.0.113.0/24'] });
  expect((await call(away, 'GET', '/v1/accounts/1001')).body).toMatchObject({ code: 'address_not_allowed' });
  // Nobody believes a header of a peer that is no trusted proxy.
  expect(await read(away, { 'x-forwarded-for': '203.0.113.9' })).toBe(403);
});

it('a trusted proxy names the client', async () => {
  await bridge.close();
  const hash = await hashKey('mt5k_keys_away');
  bridge = await start([{ id: 'away', hash, scopes: ['read'], ips: ['203.0.113.0/24'] }], {
    TRUSTED_PROXIES: '127.0.0.1,10.0.0.0/8',
  });
  expect(await read('mt5k_keys_away', { 'x-forwarded-for': '203.0.113.9, 10.1.2.3' })).toBe(200);
  // What the client itself wrote stands left of what the proxy saw.
  expect(await read('mt5k_keys_away', { 'x-forwarded-for': '203.0.113.9, 198.51.100.1' })).toBe(403);
});

it('only `admin` administers keys, and says what is wrong with them', async () => {
  const operate = await make({ id: 'ops', scopes: ['operate', 'manage', 'trade'] });
  expect((await call(operate, 'GET', '/admin/keys')).status).toBe(403);
  expect((await call(operate, 'GET', '/admin/journal')).status).toBe(200);
  expect((await call(ADMIN, 'POST', '/admin/keys', { id: 'ops', scopes: ['read'] })).body).toMatchObject({
    code: 'invalid_field',
    field: 'id',
  });
  for (const [field, body] of [
    ['scopes[0]', { id: 'x', scopes: ['root'] }],
    ['logins', { id: 'x', scopes: ['read'], logins: '5-1' }],
    ['ips[0]', { id: 'x', scopes: ['read'], ips: ['300.1.1.1'] }],
    ['expiresAt', { id: 'x', scopes: ['read'], expiresAt: 'soon' }],
    ['limits.maxPositions', { id: 'x', scopes: ['read'], limits: { maxPositions: 0 } }],
  ] as const)
    expect((await call(ADMIN, 'POST', '/admin/keys', body)).body, field).toMatchObject({
      code: 'invalid_field',
      field,
    });
  expect((await call(ADMIN, 'POST', '/admin/keys/nobody/rotate', {})).status).toBe(404);
});

it('a masked administrator sees and touches its own logins only', async () => {
  const masked = await make({ id: 'masked', scopes: ['admin'], logins: '1001' });
  for (const login of [1001, 1002]) await call(ADMIN, 'POST', '/v1/sessions', { login, password: `Client${login}!` });
  const { body } = await call(masked, 'GET', '/v1/sessions');
  expect(body['items']).toMatchObject([{ login: 1001 }]);
  const all = (await call(ADMIN, 'GET', '/v1/sessions')).body['items'] as unknown as readonly {
    id: string;
    login: number;
  }[];
  const other = all.find(({ login }) => login === 1002)?.id ?? '';
  expect((await call(masked, 'DELETE', `/v1/sessions/${other}`)).body).toEqual({ revoked: false });
  for (const [method, path] of [
    ['GET', '/admin/journal'],
    ['GET', '/admin/checkpoint'],
    ['GET', '/admin/trading'],
    ['POST', '/admin/trading/halt'],
    ['POST', '/admin/sign-in/reset'],
    ['GET', '/admin/keys'],
    ['GET', '/performance/metrics'],
  ] as const)
    expect((await call(masked, method, path)).body, path).toMatchObject({ code: 'login_not_allowed' });
  const own = { 'idempotency-key': 'of-1002' };
  const money = { kind: 'balance', amount: '1.00' };
  await call(ADMIN, 'POST', '/v1/accounts/1002/balance', money, own);
  const operations = await call(masked, 'GET', '/v1/operations?caller=*');
  expect(operations.body['items']).toEqual([]);
});

it('a trader sees no totals of the broker, and nothing of the bridge’s own figures', async () => {
  const session = await call(ADMIN, 'POST', '/v1/sessions', { login: 1001, password: 'Client1001!' });
  const token = String(session.body['token']);
  expect((await call(token, 'GET', '/v1/server')).body).toMatchObject({ totals: {} });
  expect((await call(ADMIN, 'GET', '/v1/server')).body['totals']).toHaveProperty('users');
  for (const path of ['/performance/metrics', '/performance/cache', '/websocket/ws/status'])
    expect((await call(token, 'GET', path)).status, path).toBe(403);
});

it('a password changed and an account disabled through the bridge end its sessions at once', async () => {
  const tokenOf = async (login: number): Promise<string> =>
    String((await call(ADMIN, 'POST', '/v1/sessions', { login, password: `Client${login}!` })).body['token']);
  const [changed, disabled, raw] = [await tokenOf(1003), await tokenOf(1004), await tokenOf(1005)];
  const key = (name: string) => ({ 'idempotency-key': `ends-${name}` });
  const password = { type: 'main', password: 'Main#4711x' };
  await call(ADMIN, 'POST', '/v1/accounts/1003/password', password, key('password'));
  await call(ADMIN, 'POST', '/v1/accounts/1004/disable', {}, key('disable'));
  await call(
    ADMIN,
    'POST',
    '/api/user/change_password',
    { Login: '1005', Type: 'main', Password: 'Main#4711x' },
    key('raw'),
  );
  const status = (token: string) => call(token, 'GET', '/v1/sessions/current').then((answer) => answer.status);
  for (const token of [changed, disabled, raw]) await expect.poll(() => status(token)).toBe(401);
});

it('the bootstrap keeps what was decided here', async () => {
  await bridge.close();
  const folder = await mkdtemp(join(tmpdir(), 'keys-'));
  const file = `file:${join(folder, 'state.sqlite')}`;
  const records = [
    await keyRecord('one', 'mt5k_keys_one', ['read']),
    await keyRecord('two', 'mt5k_keys_two', ['read']),
  ];
  bridge = await start(records, { CHECKPOINT: file });
  await call(ADMIN, 'DELETE', '/admin/keys/one');
  await bridge.close();
  bridge = await start(records.slice(0, 1), { CHECKPOINT: file });
  expect(await read('mt5k_keys_one')).toBe(401);
  expect(await read('mt5k_keys_two')).toBe(401);
  await bridge.close();
  await rm(folder, { recursive: true });
  bridge = await start();
});
