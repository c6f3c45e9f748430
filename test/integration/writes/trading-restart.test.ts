import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { keyRecord, startBridge, type BridgeUnderTest } from '../../support/bridge.ts';
import { spawnBridge, type BridgeProcess } from '../../support/bridge-process.ts';
import { effectsOf, QUICK_SETTLE, TradingClient } from '../../support/trading.ts';
import { simulatorVariables } from '../../support/simulator-variables.ts';

const KEY = 'mt5k_restart-tests-only';
/** Requests wait 30 s at most: after that nothing of the dead process can still be on its way. */
const AFTER_EVERY_DEADLINE_MS = 40_000;

let folder: string;
let simulator: Simulator;
let process: BridgeProcess;
let successor: BridgeUnderTest | undefined;
let env: Record<string, string>;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'restart-'));
  simulator = await startSimulator({ ticksPerSecond: 1 });
  env = {
    ...simulatorVariables(simulator),
    BRIDGE_API_KEYS: JSON.stringify([await keyRecord('desk', KEY, ['admin'])]),
    CHECKPOINT: `file:${path.join(folder, 'bridge.sqlite')}`,
    PORT: '0',
  };
  process = await spawnBridge(env);
});
afterEach(async () => {
  process.child.kill('SIGKILL');
  await process.exited;
  await successor?.close();
  successor = undefined;
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

const clientOf = (url: () => Promise<string>): TradingClient =>
  new TradingClient({
    fetch: async (path, init = {}) => {
      const headers = new Headers(init.headers);
      headers.set('x-api-key', KEY);
      return fetch((await url()) + path, { ...init, headers });
    },
  });

const count = (command: string): number => simulator.stats().byCommand[command] ?? 0;

it('kill -9 while writes are on their way: the next process settles each of them, and sends none again', async () => {
  const first = clientOf(async () => `http://127.0.0.1:${await process.listening}`);
  expect((await first.order('before')).status).toBe(201);

  // One is executed and its result never read, one money operation and one order never arrive.
  simulator.fault({ kind: 'hang', command: 'dealer/get_request_result' });
  const executed = first.order('executed').catch(() => undefined);
  await expect.poll(() => count('dealer/get_request_result')).toBe(2);
  simulator.fault({ kind: 'hang', command: 'trade/balance' });
  const money = first.balance('money', '10.00').catch(() => undefined);
  await expect.poll(() => count('trade/balance')).toBe(1);
  expect((await first.operation('executed')).state).toBe('sending');

  process.child.kill('SIGKILL');
  await Promise.all([executed, money, process.exited]);
  const sent = { orders: count('dealer/send_request'), balances: count('trade/balance') };
  const { mutations } = simulator.stats();
  expect(mutations).toBe(2);

  simulator.clearFaults();
  const aheadMs = AFTER_EVERY_DEADLINE_MS;
  successor = await startBridge({ simulator, env, settle: QUICK_SETTLE, now: () => Date.now() + aheadMs });
  const next = clientOf(async () => successor?.url ?? '');
  const state = (key: string) => async (): Promise<string> => (await next.operation(key)).state;
  await expect.poll(state('executed'), { interval: 50 }).toBe('done');
  await expect.poll(state('money'), { interval: 50 }).toBe('not_executed');
  const { tag, result } = await next.operation('executed');
  expect(result).toMatchObject({ order: { symbol: 'EURUSD' } });
  expect(effectsOf(simulator.books(), tag)).toBe(1);

  const again = await next.order('executed');
  expect(again).toMatchObject({ status: 201, body: { operation: { tag, state: 'done' } } });
  expect((await next.order('before')).headers.get('idempotency-replayed')).toBe('true');
  expect((await next.balance('money', '10.00')).body.operation).toMatchObject({ state: 'not_executed' });
  expect({ orders: count('dealer/send_request'), balances: count('trade/balance') }).toEqual(sent);
  expect(simulator.stats().mutations).toBe(mutations);
});

it('SIGTERM in the middle: what was sent is answered, and the next process knows it', async () => {
  const first = clientOf(async () => `http://127.0.0.1:${await process.listening}`);
  await first.order('before');
  simulator.fault({ kind: 'slow', command: 'dealer/send_request', ms: 500 });
  const answering = first.order('slow');
  await expect.poll(() => count('dealer/send_request')).toBe(2);
  process.child.kill('SIGTERM');
  expect((await answering).status).toBe(201);
  expect(await process.exited).toBe(0);
  successor = await startBridge({ simulator, env, settle: QUICK_SETTLE });
  const next = clientOf(async () => successor?.url ?? '');
  expect((await next.order('slow')).headers.get('idempotency-replayed')).toBe('true');
  expect(simulator.stats().mutations).toBe(2);
});
