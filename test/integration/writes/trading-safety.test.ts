import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hashKey } from '../../../container/contract/keys.ts';
import type { AnyRoute } from '../../../container/contract/route.ts';
import { ROUTES } from '../../../container/contract/routes.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { startBridge, type BridgeUnderTest } from '../../support/bridge.ts';
import { TradingClient } from '../../support/trading.ts';

const KEYS = {
  admin: { scopes: ['admin'] },
  trade: { scopes: ['trade'] },
  read: { scopes: ['read'] },
  masked: { scopes: ['admin'], logins: '1005-1010' },
  limitedAdmin: { scopes: ['admin'], limits: { symbols: ['EURUSD'] } },
  limited: { scopes: ['trade'], limits: { maxVolumeLots: '0.50', symbols: ['EURUSD'], ordersPerMinute: 3 } },
} as const;
const secretOf = (name: keyof typeof KEYS): string => `mt5k_safety_${name}`;

let simulator: Simulator;
let bridge: BridgeUnderTest;
beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 1 });
  const records = await Promise.all(
    Object.entries(KEYS).map(async ([id, key]) => ({
      id,
      hash: await hashKey(secretOf(id as keyof typeof KEYS)),
      ...key,
    })),
  );
  bridge = await startBridge({ simulator, env: { BRIDGE_API_KEYS: JSON.stringify(records) } });
});
afterAll(async () => {
  await bridge.close();
  await simulator.close();
});
beforeEach(() => simulator.reset(['counters']));

const as = (name: keyof typeof KEYS): TradingClient =>
  new TradingClient({
    fetch: (path, init = {}) => {
      const headers = new Headers(init.headers);
      headers.set('x-api-key', secretOf(name));
      return bridge.fetch(path, { ...init, headers });
    },
  });

let keys = 0;
const newKey = (): string => `safety-${keys++}`;

function exampleOf(route: AnyRoute): { path: string; body: unknown } {
  const params: Record<string, string> = route.example.params ?? {};
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  return { path, body: route.example.body };
}

/** Only the door serves these: there is nothing to warm or send to sleep on a VPS. */
const DOOR_ONLY = new Set(['adminPolicy', 'adminOrigins', 'adminWarm', 'adminSleep']);
const CHANGES = ROUTES.filter(
  ({ id, method, scope }) => method !== 'GET' && (scope === 'trade' || scope === 'admin') && !DOOR_ONLY.has(id),
);
const named = (routes: readonly AnyRoute[]) => routes.map((route) => [`${route.method} ${route.path}`, route] as const);

describe.each(named(CHANGES))('%s', (_name, route) => {
  const { path, body } = exampleOf(route);

  it('is refused to a key that may only read, and nothing reaches the broker', async () => {
    const answer = await as('read').write(route.method, path, body, newKey());
    expect(answer).toMatchObject({ status: 403, body: { code: 'scope_missing', outcome: 'not_sent' } });
    expect(simulator.stats().mutations).toBe(0);
  });
});

describe.each(named(CHANGES.filter(({ write }) => write)))('%s', (_name, route) => {
  const { path, body } = exampleOf(route);

  it('needs an Idempotency-Key', async () => {
    const response = await bridge.fetch(path, {
      method: route.method,
      headers: { 'x-api-key': secretOf('admin'), 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'idempotency_key_required' });
  });
});

it('a key with a login mask may not touch other logins, by whatever way they are named', async () => {
  const masked = as('masked');
  const position = await as('admin').order(newKey(), { login: 1001 });
  const ticket = (position.body['order'] as { position: string }).position;
  simulator.reset(['counters']);
  for (const answer of [
    await masked.order(newKey(), { login: 1001 }),
    await masked.balance(newKey(), '1.00', 1001),
    await masked.write('POST', `/v1/positions/${ticket}/close`, {}, newKey()),
    await masked.write('PATCH', `/v1/positions/${ticket}`, { stopLoss: '0.50000' }, newKey()),
    await masked.write('POST', '/v1/accounts/1001/positions/close', {}, newKey()),
    await masked.write('POST', '/v1/sessions', { login: 1001, password: 'Client1001!' }, newKey()),
  ])
    expect(answer).toMatchObject({ status: 403, body: { code: 'login_not_allowed' } });
  expect(simulator.stats().mutations).toBe(0);
  expect((await masked.order(newKey(), { login: 1005 })).status).toBe(201);
});

it('limits of a key hold before anything is sent', async () => {
  const limited = as('limited');
  const refused = { status: 403, body: { code: 'limit_exceeded', outcome: 'not_sent' } };
  expect(await limited.order(newKey(), { volume: '0.51' })).toMatchObject(refused);
  expect(await limited.order(newKey(), { symbol: 'GBPUSD' })).toMatchObject(refused);
  const answers = await Promise.all(Array.from({ length: 10 }, () => limited.order(newKey())));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
  expect(answers.filter(({ status }) => status === 403)).toHaveLength(7);
  expect(answers.find(({ status }) => status === 403)?.headers.get('retry-after')).toMatch(/^\d+$/);
  expect(simulator.stats().mutations).toBe(3);
});

it('limits of a key hold for what is changed, cancelled and closed, alone and in bulk', async () => {
  const limited = as('limited');
  const refused = { status: 403, body: { code: 'limit_exceeded', field: 'symbol', outcome: 'not_sent' } };
  const admin = as('admin');
  const login = 1002;
  const order = { login, symbol: 'GBPUSD', type: 'limit', price: '0.90000' };
  const { ticket } = (await admin.order(newKey(), order)).body['order'] as { ticket: string };
  const open = async (side: string): Promise<string> => {
    const { body } = await admin.order(newKey(), { login, symbol: 'GBPUSD', side });
    return (body['order'] as { position: string }).position;
  };
  const [position, opposite] = [await open('buy'), await open('sell')];
  simulator.reset(['counters']);
  expect(await limited.write('PATCH', `/v1/orders/${ticket}`, { price: '0.91000' }, newKey())).toMatchObject(refused);
  expect(await limited.write('DELETE', `/v1/orders/${ticket}`, undefined, newKey())).toMatchObject(refused);
  const at = `/v1/positions/${position}`;
  expect(await limited.write('PATCH', at, { stopLoss: '0.50000' }, newKey())).toMatchObject(refused);
  expect(await limited.write('POST', `${at}/close`, {}, newKey())).toMatchObject(refused);
  expect(await limited.write('POST', `${at}/close-by`, { by: opposite }, newKey())).toMatchObject(refused);
  for (const bulk of ['orders/cancel', 'positions/close']) {
    const { body } = await limited.write('POST', `/v1/accounts/${login}/${bulk}`, { symbol: 'GBPUSD' }, newKey());
    const items = body['items'] as { status: number }[];
    expect(items.length).toBeGreaterThan(0);
    expect(items.every(({ status }) => status === 403)).toBe(true);
  }
  expect(simulator.stats().mutations).toBe(0);
});

it.each([
  ['dealer/send_request', { Action: '200', Login: '1001', Symbol: 'GBPUSD', Volume: '50000', Type: '0' }],
  ['trade/balance', { Login: '1001', Type: '2', Balance: '1' }],
])('a key with limits sends no raw %s, whatever its scope', async (command, body) => {
  expect(await as('limitedAdmin').write('POST', `/api/${command}`, body, newKey())).toMatchObject({
    status: 403,
    body: { code: 'limit_exceeded', outcome: 'not_sent' },
  });
  expect(simulator.stats().mutations).toBe(0);
});

it('the kill switch stops trading on every road, and money goes on', async () => {
  const admin = as('admin');
  const halt = await admin.write('POST', '/admin/trading/halt', { reason: 'audit' }, newKey());
  expect(halt).toMatchObject({ status: 200, body: { halted: true, reason: 'audit' } });
  const key = newKey();
  expect(await admin.order(key)).toMatchObject({ status: 403, body: { code: 'trading_halted', outcome: 'not_sent' } });
  const request = { Action: '200', Login: '1001', Symbol: 'EURUSD', Volume: '100', Type: '0', PriceOrder: '1' };
  expect((await admin.write('POST', '/api/dealer/send_request', request, newKey())).status).toBe(403);
  expect((await admin.balance(newKey(), '1.00')).status).toBe(201);
  expect(simulator.stats().byCommand['dealer/send_request']).toBeUndefined();
  await admin.write('POST', '/admin/trading/resume', undefined, newKey());
  expect((await admin.order(key)).status).toBe(201);
});

it('a dry run checks everything, calculates the margin, and sends nothing', async () => {
  const admin = as('admin');
  const order = { login: 1001, symbol: 'EURUSD', side: 'buy', type: 'market', volume: '0.10' };
  const dry = (path: string, body: unknown) => admin.write('POST', `${path}?dryRun=true`, body, newKey());
  expect(await dry('/v1/orders', order)).toMatchObject({
    status: 200,
    body: { dryRun: { request: { Symbol: 'EURUSD', VolumeExt: '10000000' }, margin: { after: { Login: '1001' } } } },
  });
  expect((await dry('/v1/orders', { ...order, volume: '0.001' })).status).toBe(422);
  expect((await dry('/v1/accounts/1001/balance', { kind: 'balance', amount: '5.00' })).body).toMatchObject({
    dryRun: { request: { type: '2', balance: '5.00' } },
  });
  expect((await dry('/v1/accounts/1001/positions/close', {})).status).toBe(200);
  expect(simulator.stats().mutations).toBe(0);
  expect(simulator.stats().byCommand['dealer/send_request']).toBeUndefined();
});

it.each([
  [{ volume: 'NaN' }, 'volume'],
  [{ volume: '1,5' }, 'volume'],
  [{ volume: '-1' }, 'volume'],
  [{ volume: '0' }, 'volume'],
  [{ volume: '1e9' }, 'volume'],
  [{ volume: '1000000000' }, 'volume'],
  [{ volume: 1e-9 }, 'volume'],
  [{ volume: 0.1 + 0.2 }, 'volume'],
  [{ volume: '0.015' }, 'volume'],
  [{ symbol: 'NOSUCH' }, 'symbol'],
  [{ type: 'limit' }, 'price'],
  [{ type: 'limit', price: '1.000001' }, 'price'],
  [{ type: 'limit', price: '0.90000', stopLoss: '0.95000' }, 'stopLoss'],
  [{ type: 'stop_limit', price: '1.30000' }, 'stopLimitPrice'],
  [{ type: 'limit', price: '0.90000', timeInForce: 'gtd' }, 'expiresAt'],
  [{ type: 'limit', price: '0.90000', timeInForce: 'gtd', expiresAt: '2001-01-01T00:00:00Z' }, 'expiresAt'],
  [{ comment: 'x'.repeat(21) }, 'comment'],
  [{ comment: 'a|b' }, 'comment'],
  [{ comment: 'line\nbreak' }, 'comment'],
  [{ surprise: 1 }, 'surprise'],
])('an order with %o is refused, naming %s', async (changes, field) => {
  expect(await as('admin').order(newKey(), changes)).toMatchObject({
    status: 422,
    body: { code: 'invalid_field', field, outcome: 'not_sent' },
  });
  expect(simulator.stats().mutations).toBe(0);
});

it.each([
  ['requote', 10_004],
  ['reject', 10_006],
  ['prices-off', 10_021],
] as const)('a dealer who says %s refuses in words', async (answer, retcode) => {
  simulator.broker.dealer.set({ next: [answer] });
  const key = newKey();
  const refused = await as('trade').order(key);
  expect(refused).toMatchObject({ status: 422, body: { code: 'broker_rejected', retcode, outcome: 'refused' } });
  expect(String(refused.body['detail'])).toMatch(/^buy 0\.01 EURUSD: The broker answered \d+ \w/);
  const again = await as('trade').order(key);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(again.headers.get('content-type')).toContain('application/problem+json');
  expect(again.body).toEqual(refused.body);
});

it('a partial fill says how much', async () => {
  simulator.broker.dealer.set({ next: ['partial'], partialPercent: 50 });
  expect(await as('trade').order(newKey(), { volume: '1.00', filling: 'ioc' })).toMatchObject({
    status: 201,
    body: { result: { retcode: 10_010, detail: 'executed partially: 0.50 of 1.00 lots', volume: '0.50' } },
  });
});
