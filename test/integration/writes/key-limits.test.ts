import { afterAll, beforeAll, expect, it } from 'vitest';
import { hashKey, type KeyLimits, type Scope } from '../../../container/contract/keys.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { startBridge, type BridgeUnderTest } from '../../support/bridge.ts';
import { TradingClient, type WriteAnswer } from '../../support/trading.ts';

/** Limits of a key: of one request, of what many requests hold together, and in the sessions of its traders. */

const KEYS: Readonly<Record<string, { scopes: readonly Scope[]; limits?: KeyLimits }>> = {
  admin: { scopes: ['admin'] },
  positions: { scopes: ['trade'], limits: { maxPositions: 3 } },
  exposure: { scopes: ['trade'], limits: { maxExposureLots: '0.05' } },
  reduce: { scopes: ['trade'], limits: { reduceOnly: true } },
  minute: { scopes: ['trade'], limits: { ordersPerMinute: 2 } },
  money: { scopes: ['manage'], limits: { maxAmount: '100', maxAmountPerDay: '250' } },
  dealer: { scopes: ['trade', 'manage'] },
};

let simulator: Simulator;
let bridge: BridgeUnderTest;
beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 5 });
  const records = await Promise.all(
    Object.entries(KEYS).map(async ([id, rights]) => ({ id, hash: await hashKey(`mt5k_limits_${id}`), ...rights })),
  );
  bridge = await startBridge({ simulator, env: { BRIDGE_API_KEYS: JSON.stringify(records) } });
});
afterAll(async () => {
  await bridge.close();
  await simulator.close();
});

const withBearer = (bearer: string): TradingClient =>
  new TradingClient({
    fetch: (path, init = {}) => {
      const headers = new Headers(init.headers);
      headers.set('authorization', `Bearer ${bearer}`);
      return bridge.fetch(path, { ...init, headers });
    },
  });
const as = (id: string): TradingClient => withBearer(`mt5k_limits_${id}`);
const admin = as('admin');

let keys = 0;
const newKey = (): string => `limits-${keys++}`;

/** An account without positions, in a group of the simulator. */
async function newAccount(group: string): Promise<number> {
  const { body } = await admin.write(
    'POST',
    '/v1/accounts',
    { group, name: 'Limits', leverage: 100, passwordMain: 'Main#4711x', passwordInvestor: 'Invest#4711x' },
    newKey(),
  );
  const login = Number(body['login']);
  await admin.balance(newKey(), '100000', login);
  return login;
}

async function itemsOf(path: string): Promise<readonly Record<string, unknown>[]> {
  const answer = await bridge.fetch(path, { headers: { 'x-api-key': 'mt5k_limits_admin' } });
  return ((await answer.json()) as { items: readonly Record<string, unknown>[] }).items;
}
const positionsOf = (login: number) => itemsOf(`/v1/accounts/${login}/positions?limit=1000`);
const ordersOf = (login: number) => itemsOf(`/v1/accounts/${login}/orders?limit=1000`);
const codes = (answers: readonly WriteAnswer[]): unknown[] => [
  ...new Set(answers.filter(({ status }) => status !== 201).map(({ body }) => body['code'])),
];
const placed = (answers: readonly WriteAnswer[]): number => answers.filter(({ status }) => status === 201).length;

it('50 parallel orders cannot pass maxPositions together, pending orders counted', async () => {
  const login = await newAccount('demo\\forex');
  const far = { type: 'limit', price: '0.90000' };
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, n) => as('positions').order(newKey(), { login, ...(n % 2 === 0 ? far : {}) })),
  );
  expect(placed(answers)).toBe(3);
  expect(codes(answers)).toEqual(['limit_exceeded']);
  expect((await positionsOf(login)).length + (await ordersOf(login)).length).toBe(3);
  expect((await as('positions').order(newKey(), { login })).body).toMatchObject({ code: 'limit_exceeded' });
});

it('parallel orders cannot pass maxExposureLots of a symbol and direction', async () => {
  const login = await newAccount('demo\\forex');
  const answers = await Promise.all(
    Array.from({ length: 30 }, () => as('exposure').order(newKey(), { login, volume: '0.02' })),
  );
  expect(placed(answers)).toBe(2);
  expect(codes(answers)).toEqual(['limit_exceeded']);
  // Each direction and each symbol for itself.
  expect((await as('exposure').order(newKey(), { login, side: 'sell', volume: '0.05' })).status).toBe(201);
  expect((await as('exposure').order(newKey(), { login, symbol: 'GBPUSD', volume: '0.05' })).status).toBe(201);
  expect((await as('exposure').order(newKey(), { login, volume: '0.02' })).status).toBe(403);
});

it('reduceOnly closes and never opens, and never turns a netting position round', async () => {
  const login = await newAccount('demo\\netting');
  await admin.order(newKey(), { login, volume: '0.10' });
  const sell = (volume: string): Promise<WriteAnswer> => as('reduce').order(newKey(), { login, side: 'sell', volume });
  expect((await as('reduce').order(newKey(), { login, side: 'buy' })).body).toMatchObject({ code: 'limit_exceeded' });
  expect((await sell('0.11')).body).toMatchObject({ code: 'limit_exceeded' });
  expect((await as('reduce').order(newKey(), { login, side: 'sell', type: 'limit', price: '2.00000' })).status).toBe(
    403,
  );
  const answers = await Promise.all(Array.from({ length: 10 }, () => sell('0.04')));
  expect(placed(answers)).toBe(2);
  expect(await positionsOf(login)).toMatchObject([{ side: 'buy', volume: '0.02' }]);
  const hedged = await newAccount('demo\\forex');
  const opened = await admin.order(newKey(), { login: hedged });
  expect((await as('reduce').order(newKey(), { login: hedged, side: 'sell' })).status).toBe(403);
  const [position] = await positionsOf(hedged);
  expect(opened.status).toBe(201);
  const path = `/v1/positions/${String(position?.['ticket'])}/close`;
  expect((await as('reduce').write('POST', path, {}, newKey())).status).toBe(200);
});

it('orders per minute follow the key into its traders’ sessions: one budget', async () => {
  const login = await newAccount('demo\\forex');
  const signIn = async (): Promise<TradingClient> => {
    const { body } = await as('minute').write('POST', '/v1/sessions', { login, password: 'Main#4711x' }, newKey());
    return withBearer(String(body['token']));
  };
  const first = await signIn();
  expect((await first.order(newKey(), { login })).status).toBe(201);
  const second = await signIn();
  expect((await second.order(newKey(), { login })).status).toBe(201);
  expect((await second.order(newKey(), { login })).body).toMatchObject({ code: 'limit_exceeded' });
  expect((await (await signIn()).order(newKey(), { login })).body).toMatchObject({ code: 'limit_exceeded' });
  expect((await as('minute').order(newKey(), { login })).body).toMatchObject({ code: 'limit_exceeded' });
});

it('the same Idempotency-Key after a new sign-in replays, and finds its operation', async () => {
  const login = await newAccount('demo\\forex');
  const signIn = async (): Promise<TradingClient> => {
    const { body } = await as('dealer').write('POST', '/v1/sessions', { login, password: 'Main#4711x' }, newKey());
    return withBearer(String(body['token']));
  };
  const key = newKey();
  const first = await (await signIn()).order(key, { login });
  const again = await signIn();
  const replayed = await again.order(key, { login });
  expect(replayed.headers.get('idempotency-replayed')).toBe('true');
  expect(replayed.body.operation?.tag).toBe(first.body.operation?.tag);
  expect(await again.operation(key)).toMatchObject({ key, state: 'done' });
  expect(await positionsOf(login)).toHaveLength(1);
});

it('money is bounded per operation and per day, and raw commands are closed to a limited key', async () => {
  const login = await newAccount('demo\\forex');
  const money = as('money');
  expect((await money.balance(newKey(), '100.01', login)).body).toMatchObject({
    code: 'limit_exceeded',
    field: 'amount',
  });
  const answers = await Promise.all(Array.from({ length: 8 }, () => money.balance(newKey(), '-80', login)));
  expect(placed(answers)).toBe(3);
  expect(codes(answers)).toEqual(['limit_exceeded']);
  const raw = await bridge.fetch(`/api/trade/balance?login=${login}&type=2&balance=1&comment=x`, {
    method: 'POST',
    headers: { 'x-api-key': 'mt5k_limits_money', 'idempotency-key': newKey() },
  });
  expect(raw.status).toBe(403);
});

it('a dealer’s price needs `manage`', async () => {
  const order = { login: 1001, dealerPrice: '1.10000' };
  expect((await as('positions').order(newKey(), order)).body).toMatchObject({ code: 'scope_missing' });
  expect((await as('dealer').order(newKey(), order)).status).toBe(201);
});

it('random orders of one limited key in parallel never exceed a limit', async () => {
  const login = await newAccount('demo\\netting');
  let seed = 7;
  const random = (most: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % most;
  };
  for (let round = 0; round < 4; round++) {
    await Promise.all(
      Array.from({ length: 20 }, () =>
        as('exposure').order(newKey(), {
          login,
          side: random(2) === 0 ? 'buy' : 'sell',
          volume: `0.0${1 + random(4)}`,
        }),
      ),
    );
    for (const { volume } of await positionsOf(login)) expect(Number(volume)).toBeLessThanOrEqual(0.05);
  }
});
