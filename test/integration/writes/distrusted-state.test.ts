import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type BridgeUnderTest, startBridge } from '../../support/bridge.ts';
import { TradingClient } from '../../support/trading.ts';
import { type Simulator, startSimulator } from '../../simulator/server.ts';

/** A memory that is not the one that orders were sent with: trading begins halted. */
let folder: string;
let file: string;
let simulator: Simulator;
let bridge: BridgeUnderTest | undefined;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mt5-edge-state-'));
  file = path.join(folder, 'state.sqlite');
  simulator = await startSimulator();
});
afterEach(async () => {
  await bridge?.close();
  await simulator.close();
  await rm(folder, { recursive: true });
});

async function start(): Promise<TradingClient> {
  bridge = await startBridge({ simulator, env: { CHECKPOINT: `file:${file}` } });
  return new TradingClient(bridge);
}
const resume = async (): Promise<void> => {
  const answer = await bridge?.fetch('/admin/trading/resume', { method: 'POST' });
  expect(answer?.status).toBe(200);
};
const reason = async (): Promise<unknown> => {
  const answer = await bridge?.fetch('/readyz');
  return ((await answer?.json()) as { reason?: unknown } | undefined)?.reason;
};

it.each([
  ['no database any more', async () => writeFile(file, 'not a database. '.repeat(1000)), 'is not a readable database'],
  [
    'of a newer version',
    async () => {
      const database = new DatabaseSync(file);
      database.exec('UPDATE bridge_schema SET version = 99');
      database.close();
    },
    'version 99',
  ],
])('a state that is %s halts trading until it is resumed, and /readyz says why', async (_, damage, why) => {
  const before = await start();
  const first = await before.order('before');
  expect(first.status).toBe(201);
  await bridge?.close();
  await damage();

  const after = await start();
  expect(await reason()).toContain(why);
  expect((await bridge?.fetch('/v1/accounts/1001'))?.status).toBe(200);
  expect((await after.order('after')).body).toMatchObject({ code: 'trading_halted', outcome: 'not_sent' });
  const repeated = await after.order('before');
  // A ledger that can be read is consulted; where it cannot, the halt alone keeps a second order away.
  if (why === 'version 99') expect(repeated.body).toEqual(first.body);
  else expect(repeated.body).toMatchObject({ code: 'trading_halted' });
  await resume();
  expect(await reason()).toBeNull();
  expect((await after.order('after')).status).toBe(201);
});
