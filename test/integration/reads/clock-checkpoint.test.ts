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

const restart = async (): Promise<BridgeUnderTest> => {
  await bridge?.close();
  bridge = await startBridge({ simulator, env: { CHECKPOINT: `file:${path.join(folder, 'bridge.sqlite')}` } });
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
