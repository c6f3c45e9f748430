import { afterEach, expect, test } from 'vitest';
import { startBridge, type BridgeUnderTest } from '../../support/bridge.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';

let simulator: Simulator;
let bridge: BridgeUnderTest;

afterEach(async () => {
  await bridge.close();
  await simulator.close();
});

const pings = (): number => simulator.stats().byCommand['test/access'] ?? 0;
const read = (init?: RequestInit): Promise<Response> => bridge.fetch('/api/user/get?login=1001', init);

test('pings keep a silent session alive beyond the idle time of the server', async () => {
  simulator = await startSimulator();
  simulator.switch({ idleTimeoutSeconds: 0.4 });
  bridge = await startBridge({ simulator, timings: { heartbeatMs: 100 } });
  await read();
  await expect.poll(pings).toBeGreaterThan(6);
  expect((await read()).status).toBe(200);
  expect(simulator.stats().handshakes).toBe(1);
});

test('a session that the server closed in silence is noticed, and the next call signs in once', async () => {
  simulator = await startSimulator();
  bridge = await startBridge({ simulator });
  await read();
  simulator.dropConnections();
  await expect.poll(() => bridge.container.upstream.status.state).toBe('closed');
  expect((await fetch(`${bridge.url}/readyz`)).status).toBe(200);
  expect((await read()).status).toBe(200);
  expect(simulator.stats().handshakes).toBe(2);
});

test('a peer that vanished is found by an unanswered ping', async () => {
  simulator = await startSimulator();
  bridge = await startBridge({ simulator, timings: { heartbeatMs: 50, pingTimeoutMs: 200 } });
  await read();
  simulator.fault({ kind: 'half-open', command: 'test/access' });
  await expect.poll(() => bridge.log.some(({ cause }) => cause === 'hung')).toBe(true);
  expect((await read()).status).toBe(200);
});

test('one ping that fails with an answer does not end the session', async () => {
  simulator = await startSimulator();
  bridge = await startBridge({ simulator, timings: { heartbeatMs: 50 } });
  await read();
  simulator.fault({ kind: 'status', code: 503, command: 'test/access' });
  const before = pings();
  await expect.poll(pings).toBeGreaterThan(before + 3);
  expect(simulator.stats()).toMatchObject({ handshakes: 1, connections: 1 });
});

test('an answer that never comes releases its caller at the deadline, and the session at its limit', async () => {
  simulator = await startSimulator();
  bridge = await startBridge({ simulator, timings: { silenceMs: 600 }, env: { POOL_MAX: '1' } });
  await read();
  simulator.fault({ kind: 'hang' });
  const { upstream } = bridge.container;
  const outcome = await upstream
    .read({ path: 'user/get', query: [['login', '1001']] }, { deadlineAtMs: Date.now() + 100 })
    .catch((error: unknown) => error);
  expect(outcome).toMatchObject({ kind: 'deadline', dispatched: true });
  expect(simulator.stats().connections).toBe(1);
  // Waits in the queue until the hung session is given up, then is served by a new one.
  expect((await read()).status).toBe(200);
  expect(simulator.stats().handshakes).toBe(2);
});

test('a clock that jumps by an hour, forward or back, ends no session and makes no age negative', async () => {
  simulator = await startSimulator();
  let aheadMs = 0;
  bridge = await startBridge({ simulator, timings: { heartbeatMs: 50 }, now: () => Date.now() + aheadMs });
  await read();
  for (const jumpMs of [3_600_000, -3_600_000]) {
    aheadMs = jumpMs;
    const before = pings();
    await expect.poll(pings).toBeGreaterThan(before + 2);
    expect((await read()).status).toBe(200);
    const status = await (await bridge.fetch('/v1/status')).text();
    expect([...status.matchAll(/"\w*[aA]ge\w*":(-?[\d.]+)/g)].filter(([, age]) => Number(age) < 0)).toEqual([]);
  }
  expect(simulator.stats()).toMatchObject({ handshakes: 1, connections: 1 });
});
