import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBridge, type BridgeUnderTest } from '../../support/bridge.ts';
import { StreamClient } from '../../support/stream-client.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';

let simulator: Simulator;
let bridge: BridgeUnderTest;
let aheadMs = 0;

beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 0 });
  bridge = await startBridge({ simulator, env: { POOL_MAX: '1' }, now: () => Date.now() + aheadMs });
});
afterAll(async () => {
  await bridge?.close();
  await simulator?.close();
});

/** Commands that reached the broker, sign-ins and pings aside. */
const asked = (): number =>
  Object.entries(simulator.stats().byCommand)
    .filter(([command]) => !/^(auth|test)\//.test(command))
    .reduce((sum, [, count]) => sum + count, 0);
const read = async (login: number): Promise<{ status: number; retryAfter: string | null; code: unknown }> => {
  const answer = await bridge.fetch(`/v1/accounts/${login}`);
  const { code } = (await answer.json()) as { code?: unknown };
  return { status: answer.status, retryAfter: answer.headers.get('retry-after'), code };
};
const circuit = async (): Promise<Record<string, unknown>> => {
  const status = (await (await bridge.fetch('/v1/status')).json()) as {
    ready: boolean;
    circuits: { broker: Record<string, unknown> };
  };
  return { ready: status.ready, ...status.circuits.broker };
};
const HELD = { status: 503, retryAfter: '1', code: 'circuit_open' };

test('a broker that fails every call is asked once a wait; everybody else is answered at once; it closes by itself', async () => {
  const client = await StreamClient.open(`${bridge.url}/v1/stream`, { key: bridge.readKey });
  expect((await read(1001)).status).toBe(200);
  // What was read before is answered as before.
  expect((await bridge.fetch('/v1/symbols/EURUSD')).status).toBe(200);
  simulator.fault({ kind: 'status', code: 503, count: 'always' });
  for (let i = 0; i < 20 && (await circuit())['state'] === 'closed'; i++) await read(1001);
  expect(await circuit()).toMatchObject({ ready: false, state: 'open', failures: 5 });
  const opened = asked();
  expect(await Promise.all([1001, 1002, 1003].map(read))).toEqual([HELD, HELD, HELD]);
  const order = await bridge.fetch('/v1/orders', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'held' },
    body: JSON.stringify({ login: 1001, symbol: 'EURUSD', side: 'buy', type: 'market', volume: '0.01' }),
  });
  expect(await order.json()).toMatchObject({ code: 'circuit_open', outcome: 'not_sent', retry: 'after' });
  expect((await bridge.fetch('/v1/symbols/EURUSD')).status).toBe(200);
  expect(asked()).toBe(opened);
  for (const waitMs of [1_000, 2_000]) {
    aheadMs += waitMs;
    const before = asked();
    for (let i = 0; i < 10; i++) expect((await read(1001)).status).toBe(503);
    expect(asked()).toBe(before + 1);
  }
  simulator.clearFaults();
  aheadMs += 4_000;
  expect((await read(1001)).status).toBe(200);
  expect(await circuit()).toMatchObject({ ready: true, state: 'closed', failures: 0, reason: null, retryAtMs: null });
  const { items } = (await (await bridge.fetch('/admin/journal')).json()) as {
    items: { event: string; reason: string }[];
  };
  const told = items.filter(({ event }) => event === 'circuit').map(({ reason }) => reason);
  expect(told[0]).toBe('The broker answers again: its circuit closed.');
  expect(told.at(-1)).toBe('The broker’s circuit opened: The broker answered 503 without a retcode.');
  await expect
    .poll(() => client.of('system').map(({ data }) => (data as { event: string }).event))
    .toEqual(expect.arrayContaining(['circuit_open', 'circuit_closed']));
  client.close();
});

test('what the broker refuses is no failure of its', async () => {
  for (let i = 0; i < 10; i++) expect((await read(999_999)).status).toBe(404);
  expect((await circuit())['state']).toBe('closed');
});
