import { afterAll, beforeAll, expect, it } from 'vitest';
import { startSimulator, type Simulator } from '../simulator/server.ts';
import { startBridge, type BridgeUnderTest } from '../support/bridge.ts';

let simulator: Simulator;
let bridge: BridgeUnderTest;
beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 1 });
  bridge = await startBridge({ simulator });
});
afterAll(async () => {
  await bridge.close();
  await simulator.close();
});

async function call(method: string, path: string, bearer: string, body?: unknown) {
  const response = await bridge.fetch(path, {
    method,
    headers: {
      authorization: `Bearer ${bearer}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      'idempotency-key': `${method} ${path}`.replaceAll(' ', '-'),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
}

const open = (login: number, password: string, key = bridge.tradeKey) =>
  call('POST', '/v1/sessions', key, { login, password });

it('the main password may trade where the key may, the investor’s may look, another one neither', async () => {
  const main = await open(1001, 'Client1001!');
  expect(main).toMatchObject({ status: 201, body: { login: 1001, scopes: ['read', 'trade'] } });
  expect(main.body['token']).toMatch(/^mt5s_[A-Za-z0-9_-]{43}$/);
  expect((await open(1001, 'Client1001!', bridge.readKey)).body['scopes']).toEqual(['read']);
  expect(await open(1001, 'Wrong1!xx')).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
  expect(await open(999_999, 'Wrong1!xx')).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
});

it('a token is good for its own login, and ends with it', async () => {
  const token = String((await open(1002, 'Client1002!')).body['token']);
  expect((await call('GET', '/v1/accounts/1002', token)).status).toBe(200);
  expect((await call('GET', '/v1/accounts/1001', token)).body['code']).toBe('login_not_allowed');
  const order = { login: 1002, symbol: 'EURUSD', side: 'buy', volume: '0.01' };
  expect((await call('POST', '/v1/orders', token, order)).status).toBe(201);
  expect((await call('GET', '/v1/operations/POST-%2Fv1%2Forders', token)).status).not.toBe(500);
  expect((await call('POST', '/v1/sessions', token, { login: 1002, password: 'x' })).body['code']).toBe(
    'scope_missing',
  );
  expect((await call('GET', '/v1/sessions/current', token)).body).toMatchObject({ login: 1002, openedBy: 'trade' });
  expect((await call('DELETE', '/v1/sessions/current', token)).body).toEqual({ revoked: true });
  expect((await call('GET', '/v1/accounts/1002', token)).status).toBe(401);
});

it('administrators list and revoke; nothing they see opens anything', async () => {
  const { body } = await open(1003, 'Client1003!');
  const list = await call('GET', '/v1/sessions?login=1003', bridge.adminKey);
  expect(list.body).toMatchObject({ items: [{ login: 1003, id: body['id'] }], nextCursor: null });
  expect(JSON.stringify(list.body)).not.toContain(String(body['token']).slice(5));
  expect((await call('GET', '/v1/sessions', bridge.tradeKey)).status).toBe(403);
  expect((await call('DELETE', `/v1/sessions/${String(body['id'])}`, bridge.adminKey)).body).toEqual({ revoked: true });
  expect((await call('GET', '/v1/accounts/1003', String(body['token']))).status).toBe(401);
});

it('guessing is slowed down, for that login only', async () => {
  const guesses = [];
  for (let n = 0; n < 8; n++) guesses.push(await open(1004, `Guess${n}!xx`));
  expect(guesses.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
  expect(guesses.at(-1)?.headers.get('retry-after')).toMatch(/^\d+$/);
  expect((await open(1005, 'Client1005!')).status).toBe(201);
});

it('the password and the token stand in no log line', async () => {
  const { body } = await open(1006, 'Client1006!');
  const log = JSON.stringify(bridge.log);
  expect(log).not.toContain('Client1006!');
  expect(log).not.toContain(String(body['token']));
});

it('a session ends when its account is disabled or its password changes', async () => {
  let aheadMs = 0;
  const other = await startBridge({ simulator, now: () => Date.now() + aheadMs });
  const opened = async (login: number): Promise<string> => {
    const response = await other.fetch('/v1/sessions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ login, password: `Client${login}!` }),
    });
    return String(((await response.json()) as { token: unknown }).token);
  };
  const status = async (token: string): Promise<number> =>
    (await other.fetch('/v1/sessions/current', { headers: { authorization: `Bearer ${token}` } })).status;
  try {
    const [disabled, untouched] = [await opened(1007), await opened(1008)];
    await call('POST', '/v1/accounts/1007/disable', bridge.adminKey, {});
    aheadMs = 5 * 60_000 + 1;
    await other.container.writes.recheckSessions();
    expect(await status(disabled)).toBe(401);
    expect(await status(untouched)).toBe(200);
  } finally {
    await other.close();
  }
});
