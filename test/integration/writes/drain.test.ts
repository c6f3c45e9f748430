import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type BridgeUnderTest, startBridge } from '../../support/bridge.ts';
import { TradingClient } from '../../support/trading.ts';
import { type Simulator, startSimulator } from '../../simulator/server.ts';

let folder: string;
let simulator: Simulator;
const bridges: BridgeUnderTest[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mt5-edge-state-'));
  simulator = await startSimulator();
});
afterEach(async () => {
  for (const bridge of bridges.splice(0)) await bridge.close();
  await simulator.close();
  await rm(folder, { recursive: true });
});

async function start(onDrainAsked?: (reason: string) => void): Promise<BridgeUnderTest> {
  const env = { CHECKPOINT: `file:${path.join(folder, 'state.sqlite')}` };
  const bridge = await startBridge({ simulator, env, fenceLookMs: 50, ...(onDrainAsked ? { onDrainAsked } : {}) });
  bridges.push(bridge);
  return bridge;
}

it('a drain with an order at the dealer: its caller is told the way to it, and the next process settles it', async () => {
  const bridge = await start();
  simulator.fault({ kind: 'slow', command: 'dealer/send_request', ms: 20_000, count: 1 });
  const answering = new TradingClient(bridge).order('waits');
  const sent = (): number => simulator.stats().byCommand['dealer/send_request'] ?? 0;
  await expect.poll(sent).toBe(1);
  const closed = bridge.close();
  const answer = await answering;
  expect([answer.status, answer.headers.get('location')]).toEqual([202, '/v1/operations/waits']);
  expect(answer.body.operation).toMatchObject({ key: 'waits', state: 'unknown' });
  await closed;
  const next = new TradingClient(await start());
  await expect
    .poll(async () => (await next.operation('waits')).state, { interval: 100 })
    .toMatch(/^(unknown|done|not_executed)$/);
  expect(sent()).toBe(1);
});

it('a process whose session another one on the same file took over ends by itself', async () => {
  const drained: string[] = [];
  const first = await start((reason) => drained.push(reason));
  expect((await first.fetch('/v1/accounts/1001')).status).toBe(200);
  const second = await start();
  expect((await second.fetch('/v1/accounts/1001')).status).toBe(200);
  await expect.poll(() => drained).toEqual(['Another process holds the session.']);
  expect(first.log.filter(({ event }) => event === 'fenced')).toHaveLength(1);
  expect((await new TradingClient(second).order('ours')).status).toBe(201);
});
