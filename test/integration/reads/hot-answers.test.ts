import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { startBridge, type BridgeUnderTest } from '../../support/bridge.ts';

let simulator: Simulator;
let bridge: BridgeUnderTest;
beforeAll(async () => {
  simulator = await startSimulator();
  bridge = await startBridge({ simulator });
});
afterAll(async () => {
  await bridge?.close();
  await simulator?.close();
});

const PATH = '/v1/symbols/EURUSD';
const ask = (key: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(bridge.url + PATH, { headers: { 'X-API-Key': key, ...headers } });

test('a repeated reference read is the same answer, without the broker, in the contract’s headers', async () => {
  const first = await ask(bridge.readKey);
  const firstText = await first.text();
  const asked = simulator.stats().byCommand['symbol/get'];
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const second = await ask(bridge.readKey, { 'x-request-id': 'mine-1', traceparent });
  expect(second.status).toBe(200);
  expect(await second.text()).toBe(firstText);
  expect(simulator.stats().byCommand['symbol/get']).toBe(asked);
  for (const name of ['content-type', 'etag', 'vary', 'x-bridge-version', 'x-session-epoch'])
    expect(second.headers.get(name), name).toBe(first.headers.get(name));
  expect(second.headers.get('x-request-id')).toBe('mine-1');
  expect(second.headers.get('traceparent')).toBe(traceparent);
  expect(second.headers.get('cache-control')).toMatch(/^private, max-age=\d+$/);

  const unchanged = await ask(bridge.readKey, { 'if-none-match': first.headers.get('etag') ?? '' });
  expect(unchanged.status).toBe(304);
  expect(await unchanged.text()).toBe('');
  const asNumbers = await fetch(`${bridge.url}${PATH}?decimals=number`, { headers: { 'X-API-Key': bridge.readKey } });
  expect(await asNumbers.text()).not.toBe(firstText);
});

test('what is kept for one caller is not given to another without a key', async () => {
  await (await ask(bridge.readKey)).text();
  await (await ask(bridge.readKey)).text();
  const wrong = await ask('mt5k_not_a_key');
  expect(wrong.status).toBe(401);
  await wrong.text();
  const nobody = await fetch(bridge.url + PATH);
  expect(nobody.status).toBe(401);
  await nobody.text();
});
