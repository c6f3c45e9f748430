import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type BridgeUnderTest, startBridge } from '../../support/bridge.ts';
import { TradingClient } from '../../support/trading.ts';
import { type Simulator, startSimulator } from '../../simulator/server.ts';

/** A backup knows nothing of what was sent after it: its keys are new to it, and a repetition would be a second order. */
let folder: string;
let file: string;
let copy: string;
let simulator: Simulator;
let bridge: BridgeUnderTest | undefined;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mt5-edge-state-'));
  file = path.join(folder, 'state.sqlite');
  copy = path.join(folder, 'copy.sqlite');
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
const state = (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
  promisify(execFile)(process.execPath, ['scripts/state.ts', ...args]);
const sent = (): number => simulator.stats().byCommand['dealer/send_request'] ?? 0;
const reason = async (): Promise<unknown> => {
  const answer = await bridge?.fetch('/readyz');
  return ((await answer?.json()) as { reason?: unknown } | undefined)?.reason;
};

it('drill: backup of a running bridge, more orders, restore: halted, nothing sent twice, and on after a resume', async () => {
  const before = await start();
  expect((await before.order('first')).status).toBe(201);
  await state('backup', '--state', file, '--to', copy);
  expect((await stat(copy)).mode & 0o077).toBe(0);
  expect((await before.order('second')).status).toBe(201);
  await expect(state('restore', '--from', copy, '--state', file)).rejects.toThrow('in use: stop the bridge first');
  await bridge?.close();
  await state('restore', '--from', copy, '--state', file);

  const after = await start();
  expect(await reason()).toContain('restored from the backup');
  expect((await after.order('first')).status).toBe(201);
  expect((await after.order('second')).body).toMatchObject({ code: 'trading_halted', outcome: 'not_sent' });
  expect(sent()).toBe(2);
  await expect.poll(reason).toContain('an old copy of its state was put back');
  await bridge?.fetch('/admin/trading/resume', { method: 'POST' });
  expect((await after.order('third')).status).toBe(201);
  // What an administrator was told of halts nothing again.
  await bridge?.close();
  const later = await start();
  expect((await later.order('fourth')).status).toBe(201);
  expect(await reason()).toBeNull();
});

it('a file that is merely copied back is found out by the broker’s books', async () => {
  const before = await start();
  expect((await before.order('first')).status).toBe(201);
  await state('backup', '--state', file, '--to', copy);
  expect((await before.order('second')).status).toBe(201);
  await bridge?.close();
  for (const suffix of ['-wal', '-shm']) await rm(file + suffix, { force: true });
  await copyFile(copy, file);

  const after = await start();
  await expect.poll(reason).toContain('an old copy of its state was put back');
  expect((await after.order('second')).body).toMatchObject({ code: 'trading_halted' });
  expect(sent()).toBe(2);
});

it('a plain restart halts nothing', async () => {
  const before = await start();
  expect((await before.order('first')).status).toBe(201);
  await bridge?.close();
  const after = await start();
  expect((await after.order('second')).status).toBe(201);
  expect(await reason()).toBeNull();
});
