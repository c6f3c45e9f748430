import { afterEach, expect, test } from 'vitest';
import { startBridge, type BridgeUnderTest } from '../../support/bridge.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';

let simulator: Simulator;
let bridge: BridgeUnderTest;

afterEach(async () => {
  await bridge.close();
  await simulator.close();
});

/** As many reads at once, each of another account. */
async function storm(count: number): Promise<number[]> {
  const reads = Array.from({ length: count }, (_, i) => bridge.fetch(`/api/user/get?login=${1001 + (i % 100)}&n=${i}`));
  return Promise.all(reads.map(async (read) => (await read).status));
}

for (const count of [200, 1000])
  test(`${count} reads at once on a cold bridge wait for one sign-in, and none fails`, async () => {
    simulator = await startSimulator({ authLatencyMs: 150, latencyMs: 2 });
    bridge = await startBridge({ simulator });
    const statuses = await storm(count);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    const stats = simulator.stats();
    expect(stats.handshakesAtFirstCommand).toBe(1);
    expect(stats.handshakes).toBeLessThanOrEqual(4);
  });

test('sustained queueing grows the pool one session at a time, never beyond its limit', async () => {
  simulator = await startSimulator({ latencyMs: 20 });
  bridge = await startBridge({ simulator, env: { POOL_MAX: '3' } });
  const statuses = await storm(70);
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(simulator.stats().handshakes).toBeGreaterThan(1);
  expect(simulator.stats().handshakes).toBeLessThanOrEqual(3);
});

test('a hundred callers who give up on a slow answer cause no sign-in', async () => {
  simulator = await startSimulator();
  bridge = await startBridge({ simulator });
  await bridge.fetch('/api/user/get?login=1001');
  simulator.fault({ kind: 'slow', ms: 2000, count: 'always' });
  const gaveUp = await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      bridge.fetch(`/api/user/get?login=${1001 + i}`, { signal: AbortSignal.timeout(200) }).then(
        () => false,
        () => true,
      ),
    ),
  );
  expect(gaveUp.filter((did) => !did)).toEqual([]);
  simulator.clearFaults();
  const after = await bridge.fetch('/api/user/get?login=1001');
  expect(after.status).toBe(200);
  expect(simulator.stats()).toMatchObject({ handshakes: 1, connections: 1 });
});

test('where a second sign-in ends the first session, the pool learns to stay at one', async () => {
  simulator = await startSimulator({ latencyMs: 20 });
  simulator.switch({ secondSignInEndsFirst: true });
  bridge = await startBridge({ simulator });
  expect(new Set(await storm(70))).toEqual(new Set([200]));
  const { handshakes } = simulator.stats();
  expect(new Set(await storm(70))).toEqual(new Set([200]));
  expect(simulator.stats()).toMatchObject({ handshakes, connections: 1 });
  expect(bridge.log.filter(({ event }) => event === 'one_session_only')).toHaveLength(1);
});
