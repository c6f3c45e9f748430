import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startSimulator, type Simulator } from '../simulator/server.ts';
import { startBridge, type BridgeUnderTest } from '../support/bridge.ts';
import { expectRefused, REFUSALS, requestOf } from '../support/refusals.ts';
import { testKeysVariable } from '../support/test-keys.ts';

let simulator: Simulator;
let bridge: BridgeUnderTest;
beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 0 });
  const keys = testKeysVariable((key) => createHash('sha256').update(key).digest('hex'));
  bridge = await startBridge({ simulator, env: { BRIDGE_API_KEYS: keys } });
});
afterAll(async () => {
  await bridge.close();
  await simulator.close();
});

it.each(REFUSALS)('as at the door: $name: $status $code', async (refusal) => {
  await expectRefused(await fetch(bridge.url + refusal.path, requestOf(refusal)), refusal);
  expect(simulator.stats().mutations).toBe(0);
});
