import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { startBridge, type BridgeUnderTest } from '../../support/bridge.ts';
import { TradingClient, type WriteAnswer } from '../../support/trading.ts';

/** What a market order costs at the broker, once the account and the symbol are known. */

let simulator: Simulator;
let bridge: BridgeUnderTest;
let client: TradingClient;
let keys = 0;

beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 20 });
  bridge = await startBridge({ simulator, env: { POOL_MAX: '1' } });
  client = new TradingClient(bridge);
  await client.order('warm');
});
afterAll(async () => {
  await bridge.close();
  await simulator.close();
});
beforeEach(() => simulator.reset(['counters']));

const minimal = (key: string, prefer = 'return=minimal'): Promise<WriteAnswer> => {
  const order = { login: 1001, symbol: 'EURUSD', side: 'buy', type: 'market', volume: '0.01' };
  return client.write('POST', '/v1/orders', order, key, { prefer });
};
const asked = (): string[] =>
  Object.entries(simulator.stats().byCommand).flatMap(([path, count]) => Array.from({ length: count }, () => path));

it('quote, request, result; and the order and its deal for who wants to see them', async () => {
  const { status, body } = await client.order(`whole-${keys++}`);
  expect(status).toBe(201);
  expect(
    asked()
      .filter((path) => path !== 'user/group')
      .toSorted(),
  ).toEqual(['deal/get', 'dealer/get_request_result', 'dealer/send_request', 'history/get', 'tick/last_group']);
  const [deal] = body['deals'] as { ticket: string; order: string }[];
  expect(body['result']).toMatchObject({ order: deal?.order, deal: deal?.ticket });
});

it('Prefer: return=minimal reads nothing back: the dealer’s result names the tickets', async () => {
  const key = `minimal-${keys++}`;
  const { status, headers, body } = await minimal(key, 'respond-async, return=minimal; foo="bar"');
  expect(status).toBe(201);
  expect(headers.get('preference-applied')).toBe('return=minimal');
  expect(Object.keys(body).toSorted()).toEqual(['operation', 'result']);
  const { order, deal } = body['result'] as { order: string; deal: string };
  expect(asked()).not.toContain('deal/get');
  expect(asked()).not.toContain('history/get');
  expect(((await (await bridge.fetch(`/v1/deals/${deal}`)).json()) as { order: string }).order).toBe(order);
  const again = await minimal(key);
  expect(again.body).toEqual(body);
  expect(simulator.stats().byCommand['dealer/send_request']).toBe(1);
});

it('another preference changes nothing', async () => {
  const { headers, body } = await minimal(`other-${keys++}`, 'return=representation, return=minimal');
  expect(headers.get('preference-applied')).toBeNull();
  expect(body).toHaveProperty('deals');
});
