import { afterAll, beforeAll, expect, it } from 'vitest';
import { exposure } from '../../container/client/examples/exposure.ts';
import { placeOrder } from '../../container/client/examples/place-order.ts';
import { statement } from '../../container/client/examples/statement.ts';
import { createBridgeClient, type BridgeClient } from '../../container/client/index.ts';
import { startSimulator, type Simulator } from '../simulator/server.ts';
import { type BridgeUnderTest, startBridge } from '../support/bridge.ts';

let simulator: Simulator;
let bridge: BridgeUnderTest;
let client: BridgeClient;

beforeAll(async () => {
  simulator = await startSimulator();
  bridge = await startBridge({ simulator });
  client = createBridgeClient({ baseUrl: bridge.url, key: bridge.adminKey });
});
afterAll(async () => {
  await bridge.close();
  await simulator.close();
});

it('a statement adds up to what the deals say', async () => {
  const text = await statement(client, 1001, { from: '2025-01-01', to: '2026-01-01' });
  const lines = text.split('\n');
  expect(lines.length).toBeGreaterThan(10);
  expect(lines.at(-1)).toMatch(/^Result -?\d+\.\d\d, balance \d+\.\d\d, equity \d+\.\d\d$/);
});

it('exposure counts every position of the group once', async () => {
  const net = await exposure(client, 'real\\*');
  const { data } = await client.GET('/v1/positions', { params: { query: { group: 'real\\*', limit: 1000 } } });
  const symbols = new Set(data.items.map(({ symbol }) => symbol));
  expect(new Set(net.keys())).toEqual(symbols);
});

it('an order placed twice under one key is one order', async () => {
  const order = { login: 1005, symbol: 'BTCUSD', side: 'buy', volume: '0.01' } as const;
  const before = simulator.stats().mutations;
  const first = await placeOrder(client, order, 'example-1');
  const again = await placeOrder(client, order, 'example-1');
  expect(first).toMatchObject({ key: 'example-1', state: 'done' });
  expect(again).toMatchObject({ key: 'example-1', state: 'done' });
  expect(simulator.stats().mutations - before).toBe(1);
});
