import { mkdtemp, rm } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type BridgeUnderTest, startBridge } from '../../support/bridge.ts';
import { type Simulator, startSimulator } from '../../simulator/server.ts';

/** The state's file is locked by another program, as a backup or a hung tool does it. */
let folder: string;
let simulator: Simulator;
let bridge: BridgeUnderTest;
let other: DatabaseSync;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mt5-edge-state-'));
  simulator = await startSimulator();
  const file = path.join(folder, 'state.sqlite');
  bridge = await startBridge({ simulator, env: { CHECKPOINT: `file:${file}`, POOL_MAX: '2' } });
  other = new DatabaseSync(file);
  await bridge.fetch('/v1/accounts/1001');
});
afterEach(async () => {
  other.close();
  await bridge.close();
  await simulator.close();
  await rm(folder, { recursive: true });
});

const order = (key: string): Promise<Response> =>
  bridge.fetch('/v1/orders', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify({ login: 1001, symbol: 'EURUSD', side: 'buy', type: 'market', volume: '0.10' }),
  });
const sent = (): number => simulator.stats().byCommand['dealer/send_request'] ?? 0;
const stateOf = async (key: string): Promise<unknown> =>
  ((await (await bridge.fetch(`/v1/operations/${key}`)).json()) as { state?: unknown }).state;

it('an order that the broker executed is told as executed, and its row follows when it can be written', async () => {
  simulator.fault({ kind: 'slow', command: 'dealer/send_request', ms: 300, count: 1 });
  const answering = order('one');
  await expect.poll(sent).toBe(1);
  other.exec('BEGIN IMMEDIATE');
  const answer = await answering;
  expect(answer.status).toBe(201);
  expect(await answer.json()).toMatchObject({ operation: { state: 'done' } });
  expect(await stateOf('one')).toBe('sending');
  expect((await order('one')).status).toBe(409);
  other.exec('ROLLBACK');
  await expect.poll(() => stateOf('one')).toBe('done');
  expect(sent()).toBe(1);
});

it('waiting for the lock stops nobody: reads are answered meanwhile; an order waits, then is told as not sent', async () => {
  other.exec('BEGIN IMMEDIATE');
  const refused = order('two');
  for (const login of [1002, 1003, 1004]) expect((await bridge.fetch(`/v1/accounts/${login}`)).status).toBe(200);
  const ready = await bridge.fetch('/readyz');
  expect([ready.status, await ready.json()]).toMatchObject([
    503,
    { reason: expect.stringContaining('locked') as string },
  ]);
  const answer = await refused;
  expect([answer.status, await answer.json()]).toMatchObject([503, { code: 'state_unavailable', outcome: 'not_sent' }]);
  other.exec('ROLLBACK');
  expect(sent()).toBe(0);
  expect((await order('two')).status).toBe(201);
  expect(sent()).toBe(1);
  expect((await bridge.fetch('/readyz')).status).toBe(200);
});

it('a lock that is let go in time costs the order time only', async () => {
  other.exec('BEGIN IMMEDIATE');
  const answering = order('three');
  expect((await bridge.fetch('/v1/accounts/1005')).status).toBe(200);
  other.exec('ROLLBACK');
  expect((await answering).status).toBe(201);
});
