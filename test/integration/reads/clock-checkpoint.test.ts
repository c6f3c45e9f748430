import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { startBridge, type BridgeUnderTest } from '../../support/bridge.ts';

let folder: string;
let simulator: Simulator;
let bridge: BridgeUnderTest | undefined;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'clock-'));
  simulator = await startSimulator({ ticksPerSecond: 1 });
});
afterEach(async () => {
  await bridge?.close();
  bridge = undefined;
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

const restart = async (env: Readonly<Record<string, string>> = {}): Promise<BridgeUnderTest> => {
  await bridge?.close();
  bridge = await startBridge({ simulator, env: { CHECKPOINT: `file:${path.join(folder, 'bridge.sqlite')}`, ...env } });
  return bridge;
};
const registered = async (of: BridgeUnderTest): Promise<string> =>
  ((await (await of.fetch('/v1/accounts/1001')).json()) as { registeredAt: string }).registeredAt;

it('knows the broker’s clock after a restart before it has asked for it', async () => {
  const before = await registered(await restart());
  expect(before).toMatch(/^\d{4}-.*Z$/);

  const next = await restart();
  simulator.fault({ kind: 'hang', command: 'time/get' });
  simulator.fault({ kind: 'hang', command: 'time/server' });
  expect(await registered(next)).toBe(before);
});

it('signs in once after a restart on the state of the one before, however many ask at once', async () => {
  await registered(await restart());
  const before = simulator.stats().handshakes;
  // One session at most, so that a second sign-in would be one too many.
  const next = await restart({ POOL_MAX: '1' });
  const asked = Array.from({ length: 20 }, (_, n) => next.fetch(`/v1/accounts/${1001 + n}`));
  expect(new Set((await Promise.all(asked)).map(({ status }) => status))).toEqual(new Set([200]));
  expect(simulator.stats().handshakes - before).toBe(1);
});
