import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { startBridge, type BridgeUnderTest } from '../../support/bridge.ts';
import { QUICK_SETTLE, QUICK_SIGN_IN, TradingClient, userInBooks } from '../../support/trading.ts';

/** What a bulk request says of the whole: done, partial, refused, or unknown until its parts are settled. */

const LOGIN = 1001;
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
const newKey = (): string => `bulk-${keys++}`;
// Forex is always open; indices are not, at night.
const closeAll = (key: string, body: object = { symbol: 'EURUSD' }) =>
  client.write('POST', `/v1/accounts/${LOGIN}/positions/close`, body, key);
const positions = (): number =>
  userInBooks(simulator.books(), LOGIN).positions.filter(({ symbol }) => symbol === 'EURUSD').length;
async function openThree(): Promise<void> {
  for (let n = 0; n < 3; n++)
    expect((await client.order(newKey(), { login: LOGIN, symbol: 'EURUSD' })).status).toBe(201);
}

it('nothing matched: done, matched 0', async () => {
  await closeAll(newKey());
  expect(await closeAll(newKey())).toMatchObject({
    status: 200,
    body: { operation: { state: 'done' }, counts: { matched: 0, done: 0, refused: 0, unknown: 0 }, items: [] },
  });
});

it('all executed: done', async () => {
  await openThree();
  expect(await closeAll(newKey())).toMatchObject({
    status: 200,
    body: { operation: { state: 'done' }, counts: { matched: 3, done: 3, refused: 0, unknown: 0 } },
  });
  expect(positions()).toBe(0);
});

it('every item refused: refused, and the replay says the same', async () => {
  await openThree();
  simulator.broker.dealer.set({ next: ['reject', 'reject', 'reject'] });
  const key = newKey();
  const answer = await closeAll(key);
  expect(answer).toMatchObject({
    status: 200,
    body: { operation: { state: 'refused' }, counts: { matched: 3, done: 0, refused: 3, unknown: 0 } },
  });
  expect(await closeAll(key)).toMatchObject({ status: 200, body: { operation: { state: 'refused' } } });
  expect(await client.operation(key)).toMatchObject({ state: 'refused', result: { counts: { refused: 3 } } });
  expect(positions()).toBe(3);
});

it('some executed: partial', async () => {
  simulator.broker.dealer.set({ next: ['reject'] });
  expect(await closeAll(newKey())).toMatchObject({
    status: 200,
    body: {
      operation: { state: 'partial', outcome: 'partial' },
      counts: { matched: 3, done: 2, refused: 1, unknown: 0 },
    },
  });
  await closeAll(newKey());
});

it('one unknown: 202 until its parts are settled, then it stops looking', async () => {
  await openThree();
  simulator.fault({ kind: 'drop-after-execution', command: 'dealer/send_request' });
  const key = newKey();
  const answer = await closeAll(key);
  expect(answer.status).toBe(202);
  expect(answer.body).toMatchObject({ operation: { state: 'unknown' }, counts: { matched: 3 } });
  await expect.poll(async () => (await client.operation(key)).state).toBe('done');
  expect(await closeAll(key)).toMatchObject({ status: 200, body: { counts: { matched: 3, done: 3, unknown: 0 } } });
  expect(positions()).toBe(0);
});

it('a part that was not executed is refused, and the whole settles', async () => {
  await openThree();
  simulator.fault({ kind: 'drop-before-execution', command: 'dealer/send_request' });
  const key = newKey();
  expect((await closeAll(key)).status).toBe(202);
  await expect.poll(async () => (await client.operation(key)).state).toMatch(/^(partial|refused)$/);
  const { result } = await client.operation(key);
  expect(result).toMatchObject({ counts: { matched: 3, unknown: 0 } });
  await closeAll(newKey());
});

it('the caller’s own id stands on each order, position and deal that comes of it', async () => {
  const rows = async (path: string): Promise<readonly { clientReference: string | null; comment: string }[]> =>
    ((await (await bridge.fetch(path)).json()) as { items: { clientReference: string | null; comment: string }[] })
      .items;
  const refs = async (path: string): Promise<unknown[]> =>
    (await rows(path)).map(({ clientReference }) => clientReference);
  const own = (clientReference: string) => ({ login: LOGIN, symbol: 'EURUSD', clientReference });
  await closeAll(newKey());
  expect(await client.order(newKey(), { ...own('open/1'), comment: 'hedge' })).toMatchObject({
    status: 201,
    body: { order: { clientReference: 'open/1' }, deals: [{ clientReference: 'open/1' }] },
  });
  await client.order(newKey(), { ...own('wait/1'), type: 'limit', price: '0.50000' });
  expect(await refs(`/v1/accounts/${LOGIN}/positions?symbol=EURUSD`)).toEqual(['open/1']);
  expect(await refs(`/v1/orders?logins=${LOGIN}&clientReference=wait/1`)).toEqual(['wait/1']);
  expect((await rows(`/v1/positions?logins=${LOGIN}&clientReference=open/1`))[0]?.comment).toMatch(/^hedge open\/1~/);
  await closeAll(newKey(), { symbol: 'EURUSD', clientReference: 'close/1' });
  const { body } = await client.write(
    'POST',
    `/v1/accounts/${LOGIN}/balance`,
    { kind: 'credit', amount: '1.00', clientReference: 'gift/1' },
    newKey(),
  );
  expect(body['deals']).toMatchObject([{ clientReference: 'gift/1' }]);
  const day = `from=${new Date(Date.now() - 3_600_000).toISOString()}`;
  for (const id of ['open/1', 'close/1', 'gift/1'])
    expect(await refs(`/v1/accounts/${LOGIN}/deals?${day}&clientReference=${id}`)).toEqual([id]);
  expect(await refs(`/v1/orders/history?logins=${LOGIN}&${day}&clientReference=close/1`)).toEqual(['close/1']);
  const [position] = await rows(`/v1/accounts/${LOGIN}/deals?${day}&clientReference=open/1`);
  const word = position?.comment.split(' ').at(-1) ?? '';
  const asked = await bridge.fetch(`/v1/operations?tag=${encodeURIComponent(word)}`);
  expect(await asked.json()).toMatchObject({ items: [{ kind: 'order.place', tag: word.slice(-10) }] });
  const long = { ...own('12345678901234567890'), comment: 'x' };
  expect(await client.order(newKey(), long)).toMatchObject({ status: 422, body: { field: 'clientReference' } });
  expect(await client.order(newKey(), own('a b'))).toMatchObject({ status: 422, body: { field: 'clientReference' } });
});

describe('of many accounts', () => {
  interface BulkBody {
    readonly counts: object;
    readonly items: readonly { readonly ticket: string; readonly answer: { readonly operation: { login: number } } }[];
  }
  const close = async (body: object, query = '') => {
    const answer = await client.write('POST', `/v1/positions/close${query}`, body, newKey());
    return { ...answer, body: answer.body as unknown as BulkBody & { field?: string } };
  };
  const open = async (login: number): Promise<string> => {
    const { status, body } = await client.order(newKey(), { login, symbol: 'GBPUSD' });
    expect(status).toBe(201);
    return (body as { deals: { position: string }[] }).deals[0]?.position ?? '';
  };

  it('positions are closed by group mask, tickets and profit; a masked key closes its own', async () => {
    const { users } = simulator.broker.world.books;
    const [first, second] = [...users.values()]
      .filter(({ group }) => group === 'real\\hedge-usd')
      .map((user) => user.login);
    if (first === undefined || second === undefined) throw new Error('two accounts are needed');
    await close({ logins: [first, second], symbol: 'GBPUSD' });
    const [mine, theirs] = [await open(first), await open(second)];
    const dry = await close({ group: 'real\\hedge*', symbol: 'GBPUSD', tickets: [mine, theirs] }, '?dryRun=true');
    expect(dry.body.items.map(({ ticket }) => ticket).toSorted()).toEqual([mine, theirs].toSorted());
    // A position that was just opened is worth its spread less.
    const one = { tickets: [mine] };
    expect((await close({ ...one, profitAbove: '0' })).body.counts).toMatchObject({ matched: 0 });
    expect(await close({ ...one, profitBelow: '0' })).toMatchObject({ status: 200, body: { counts: { done: 1 } } });
    const closed = await close({ group: 'real\\hedge*', symbol: 'GBPUSD' });
    expect(closed.body.items.map(({ ticket }) => ticket)).toContain(theirs);
    expect(closed.body.items.map(({ answer }) => answer.operation.login)).toContain(second);
    expect((await close({ symbol: 'GBPUSD' })).body.field).toBe('group');
    expect((await close({ logins: [first], group: '*' })).body.field).toBe('group');
  });

  it('pending orders are cancelled by ticket, and an order leads to the operation that placed it', async () => {
    const placed = await client.order('traced', { type: 'limit', price: '0.50000' });
    const order = placed.body['order'] as { ticket: string; comment: string };
    const tag = order.comment.split(' ').at(-1);
    const { items } = (await (await bridge.fetch(`/v1/operations?tag=${tag}`)).json()) as { items: { key: string }[] };
    expect(items.map(({ key }) => key)).toEqual(['traced']);
    const answer = await client.write('POST', '/v1/orders/cancel', { tickets: [order.ticket] }, newKey());
    expect(answer).toMatchObject({ status: 200, body: { counts: { matched: 1, done: 1 } } });
  });
});
