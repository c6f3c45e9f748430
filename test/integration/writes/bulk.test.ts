import { afterAll, beforeAll, expect, it } from 'vitest';
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
  await expect.poll(async () => (await client.operation(key)).state, { timeout: 15_000 }).toBe('done');
  expect(await closeAll(key)).toMatchObject({ status: 200, body: { counts: { matched: 3, done: 3, unknown: 0 } } });
  expect(positions()).toBe(0);
});

it('a part that was not executed is refused, and the whole settles', async () => {
  await openThree();
  simulator.fault({ kind: 'drop-before-execution', command: 'dealer/send_request' });
  const key = newKey();
  expect((await closeAll(key)).status).toBe(202);
  await expect
    .poll(async () => (await client.operation(key)).state, { timeout: 15_000 })
    .toMatch(/^(partial|refused)$/);
  const { result } = await client.operation(key);
  expect(result).toMatchObject({ counts: { matched: 3, unknown: 0 } });
  await closeAll(newKey());
});
