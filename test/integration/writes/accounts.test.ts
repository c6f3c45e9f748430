import { afterAll, beforeAll, expect, it } from 'vitest';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { startBridge, type BridgeUnderTest } from '../../support/bridge.ts';
import { QUICK_SETTLE, QUICK_SIGN_IN, TradingClient, userInBooks } from '../../support/trading.ts';

/** The life of an account: opened, limited, charged, liquidated, deleted. */

let simulator: Simulator;
let bridge: BridgeUnderTest;
let client: TradingClient;
beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 5 });
  bridge = await startBridge({ simulator, settle: QUICK_SETTLE, signIn: QUICK_SIGN_IN });
  client = new TradingClient(bridge);
});
afterAll(async () => {
  await bridge.close();
  await simulator.close();
});

let keys = 0;
const newKey = (): string => `account-${keys++}`;
const account = (changes: object = {}): object => ({
  group: 'demo\\forex',
  name: 'Ann Example',
  leverage: 100,
  passwordMain: 'Main#4711x',
  passwordInvestor: 'Invest#4711x',
  ...changes,
});
async function opened(): Promise<number> {
  const { status, body } = await client.write('POST', '/v1/accounts', account(), newKey());
  expect(status).toBe(201);
  return body['login'] as number;
}
const read = async (path: string): Promise<{ status: number; body: Record<string, unknown> }> => {
  const answer = await bridge.fetch(path);
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};

it('an account that the broker numbered is named by its operation', async () => {
  const key = newKey();
  const { body } = await client.write('POST', '/v1/accounts', account({ limitOrders: 7 }), key);
  const login = body['login'] as number;
  expect(body.operation).toMatchObject({ kind: 'account.create', login });
  expect(await client.operation(key)).toMatchObject({ kind: 'account.create', login });
  expect((await read(`/v1/accounts/${login}`)).body).toMatchObject({ limitOrders: 7, group: 'demo\\forex' });
});

it('limits are set one by one, and the broker holds to them; 0 is the group’s again', async () => {
  const login = await opened();
  await client.balance(newKey(), '10000.00', login);
  const limit = (changes: object) => client.write('PATCH', `/v1/accounts/${login}`, changes, newKey());
  expect(await limit({ limitPositions: 1 })).toMatchObject({ status: 200, body: { account: { limitPositions: 1 } } });
  expect(await limit({ limitOrders: 3 })).toMatchObject({
    body: { account: { limitPositions: 1, limitOrders: 3 } },
  });
  expect((await client.order(newKey(), { login })).status).toBe(201);
  expect(await client.order(newKey(), { login })).toMatchObject({ status: 422, body: { retcode: 10040 } });
  await limit({ limitPositions: 0 });
  expect((await client.order(newKey(), { login })).status).toBe(201);
  expect(await limit({ limitPositions: -1 })).toMatchObject({ status: 422, body: { field: 'limitPositions' } });
});

it('an unknown group is a field that is wrong, and the key may be used again', async () => {
  const key = newKey();
  const wrong = { status: 422, body: { code: 'invalid_field', field: 'group' } };
  expect(await client.write('POST', '/v1/accounts', account({ group: 'demo\\none' }), key)).toMatchObject(wrong);
  expect(await client.write('POST', '/v1/accounts?dryRun=true', account({ group: 'x' }), key)).toMatchObject(wrong);
  expect(await client.write('POST', '/v1/accounts/1001/group', { group: 'none' }, newKey())).toMatchObject(wrong);
  expect((await client.write('POST', '/v1/accounts', account(), key)).status).toBe(201);
});

it('rights are given and taken by name, the others stay', async () => {
  const login = await opened();
  const change = (rights: object) => client.write('PATCH', `/v1/accounts/${login}`, { rights }, newKey());
  const rightsNow = async (): Promise<unknown> => (await read(`/v1/accounts/${login}`)).body['rights'];
  const before = (await rightsNow()) as string[];
  expect((await change({ trade_disabled: true, readonly: true, reports: false })).status).toBe(200);
  const after = (await rightsNow()) as string[];
  expect(after.toSorted()).toEqual(
    [...before.filter((name) => name !== 'reports'), 'trade_disabled', 'readonly'].toSorted(),
  );
  expect(await client.order(newKey(), { login })).toMatchObject({ status: 422 });
  expect((await change({ trade_disabled: false, readonly: false, reports: true })).status).toBe(200);
  expect(((await rightsNow()) as string[]).toSorted()).toEqual(before.toSorted());
  expect(await change({ no_trading: true })).toMatchObject({ status: 422, body: { field: 'rights.no_trading' } });
  expect(await change({})).toMatchObject({ status: 422, body: { field: 'rights' } });
});

it('a charge is a balance operation of its own kind', async () => {
  const login = await opened();
  await client.balance(newKey(), '50.00', login);
  const body = { kind: 'charge', amount: '-7.50', comment: 'platform fee' };
  expect(await client.write('POST', `/v1/accounts/${login}/balance`, body, newKey())).toMatchObject({
    status: 201,
    body: { deals: [{ action: 'charge', profit: '-7.50' }] },
  });
  expect((await read(`/v1/accounts/${login}/money`)).body).toMatchObject({ balance: '42.50' });
});

it('an account with something open is not deleted; liquidated, it is disabled, and then may go', async () => {
  const login = await opened();
  await client.balance(newKey(), '10000.00', login);
  for (let n = 0; n < 2; n++) expect((await client.order(newKey(), { login })).status).toBe(201);
  expect((await client.order(newKey(), { login, type: 'limit', price: '0.50000' })).status).toBe(201);
  const path = `/v1/accounts/${login}`;
  const refused = await client.write('DELETE', path, undefined, newKey());
  expect(refused).toMatchObject({ status: 409, body: { code: 'broker_conflict', outcome: 'not_sent' } });
  expect(refused.body['detail']).toContain('2 open positions and 1 open orders');
  const key = newKey();
  const liquidated = await client.write('POST', `${path}/liquidate`, undefined, key);
  expect(liquidated).toMatchObject({
    status: 200,
    body: { operation: { state: 'done', kind: 'account.liquidate' }, counts: { matched: 4, done: 4 } },
  });
  expect((liquidated.body['items'] as { ticket: string }[]).at(-1)).toMatchObject({ ticket: 'disable', status: 200 });
  expect(await client.operation(`${key}/disable`)).toMatchObject({ kind: 'account.disable', state: 'done' });
  expect(userInBooks(simulator.books(), login)).toMatchObject({ positions: [], orders: [] });
  expect((await read(path)).body['rights']).not.toContain('enabled');
  const gone = newKey();
  expect(await client.write('DELETE', path, undefined, gone)).toMatchObject({
    status: 200,
    body: { operation: { kind: 'account.delete', state: 'done' }, login, account: null },
  });
  expect((await read(path)).status).toBe(404);
  expect((await client.write('DELETE', path, undefined, newKey())).status).toBe(404);
  expect((await client.write('DELETE', path, undefined, gone)).headers.get('idempotency-replayed')).toBe('true');
});

it('where a position could not be closed the account stays enabled, and the answer says why', async () => {
  const login = await opened();
  await client.balance(newKey(), '10000.00', login);
  await client.order(newKey(), { login });
  simulator.broker.dealer.set({ next: ['reject'] });
  const path = `/v1/accounts/${login}/liquidate`;
  const answer = await client.write('POST', path, undefined, newKey());
  expect(answer).toMatchObject({ status: 200, body: { operation: { state: 'refused' }, counts: { refused: 2 } } });
  expect((await read(`/v1/accounts/${login}`)).body['rights']).toContain('enabled');
  expect(await client.write('POST', path, undefined, newKey())).toMatchObject({
    body: { operation: { state: 'done' } },
  });
});

it.each([
  ['drop-after-execution', 'done'],
  ['drop-before-execution', 'not_executed'],
] as const)('a deletion whose answer is lost (%s) is looked up', async (kind, state) => {
  const login = await opened();
  simulator.fault({ kind, command: 'user/delete' });
  const key = newKey();
  expect((await client.write('DELETE', `/v1/accounts/${login}`, undefined, key)).status).toBe(202);
  await expect.poll(async () => (await client.operation(key)).state).toBe(state);
  expect((await read(`/v1/accounts/${login}`)).status).toBe(state === 'done' ? 404 : 200);
});

it('liquidating takes both scopes, since it trades and manages', async () => {
  const asked = await fetch(`${bridge.url}/v1/accounts/1001/liquidate`, {
    method: 'POST',
    headers: { authorization: `Bearer ${bridge.tradeKey}`, 'idempotency-key': newKey() },
  });
  expect(asked.status).toBe(403);
});
