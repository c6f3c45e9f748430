import { afterEach, expect, test } from 'vitest';
import { startBridge, type BridgeUnderTest } from '../../support/bridge.ts';
import { startProxy } from '../../support/scripted-server.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';

let simulator: Simulator;
let bridge: BridgeUnderTest | undefined;

afterEach(async () => {
  await bridge?.close();
  bridge = undefined;
  await simulator.close();
});

interface ProblemBody {
  readonly code: string;
  readonly detail: string;
  readonly retcode?: number;
}
const read = async (): Promise<{ status: number; problem: ProblemBody; retryAfter: number }> => {
  const answer = await bridge?.fetch('/api/user/get?login=1001');
  if (!answer) throw new Error('no bridge');
  return {
    status: answer.status,
    problem: (await answer.json()) as ProblemBody,
    retryAfter: Number(answer.headers.get('retry-after')),
  };
};

test('a wrong password is told in plain words at once, and never becomes a sign-in storm', async () => {
  simulator = await startSimulator();
  let nowMs = Date.now();
  bridge = await startBridge({
    simulator,
    env: { MT5_PASSWORD: 'WrongPassword1' },
    now: () => nowMs,
    random: () => 0.5,
  });
  const first = await read();
  expect(first.status).toBe(503);
  expect(first.problem.code).toBe('sign_in_refused');
  expect(first.problem.detail).toContain('API password');
  expect(first.problem.detail).toContain('MT5_PROXY');
  expect(first.retryAfter).toBeGreaterThan(0);

  // A minute of traffic at ten requests a second.
  for (let i = 0; i < 600; i++) {
    nowMs += 100;
    if (i % 20 === 0) expect((await read()).status).toBe(503);
  }
  expect(simulator.stats().byCommand['auth/start']).toBeLessThanOrEqual(5);
  const ready = await fetch(`${bridge.url}/readyz`);
  expect(ready.status).toBe(503);
  expect(JSON.stringify(await ready.json())).toContain('API password');
  expect(JSON.stringify(bridge.log)).not.toContain('WrongPassword1');
});

for (const [code, words] of [
  [1001, 'API password'],
  [1002, 'disabled'],
  [1011, 'manager configuration'],
  [1012, 'MT5_PROXY'],
  [1016, 'MT5_PROXY'],
  [1024, 'connection type'],
  [1034, 'Web API is disabled'],
] as const)
  test(`a refused sign-in (${code}) says what to do`, async () => {
    simulator = await startSimulator();
    simulator.fault({ kind: 'refuse-sign-in', code, count: 'always' });
    bridge = await startBridge({ simulator });
    const { problem } = await read();
    expect(problem).toMatchObject({ code: 'sign_in_refused', retcode: code });
    expect(problem.detail).toContain(words);
  });

test('everybody who waits is released together when the sign-in fails', async () => {
  simulator = await startSimulator({ authLatencyMs: 100 });
  simulator.fault({ kind: 'refuse-sign-in', count: 'always' });
  bridge = await startBridge({ simulator });
  const answers = await Promise.all(Array.from({ length: 100 }, read));
  expect(new Set(answers.map(({ problem }) => problem.code))).toEqual(new Set(['sign_in_refused']));
  expect(simulator.stats().byCommand['auth/start']).toBe(1);
});

test('a server that answers the handshake too slowly is given up at the step’s limit', async () => {
  simulator = await startSimulator({ authLatencyMs: 3_000 });
  bridge = await startBridge({ simulator, timings: { stepMs: 100 } });
  const answers = await Promise.all(Array.from({ length: 20 }, read));
  expect(new Set(answers.map(({ problem }) => problem.code))).toEqual(new Set(['broker_unreachable']));
  expect(answers[0]?.problem.detail).toContain('auth/start');
});

test('an impostor is told by its proof: nothing is sent to it, and the log raises an alert', async () => {
  simulator = await startSimulator();
  simulator.fault({ kind: 'wrong-cli-rand-answer', count: 'always' });
  bridge = await startBridge({ simulator });
  const { problem } = await read();
  expect(problem.code).toBe('sign_in_refused');
  expect(problem.detail).toContain('impostor');
  expect(simulator.stats().byCommand['user/get']).toBeUndefined();
  expect(bridge.log.some(({ event, level }) => event === 'impostor_alert' && level === 'error')).toBe(true);
});

test('of several addresses the first that answers is used', async () => {
  simulator = await startSimulator();
  bridge = await startBridge({
    simulator,
    env: { MT5_SERVER: `127.0.0.1:1,127.0.0.1:${simulator.port}` },
  });
  expect((await read()).status).toBe(200);
  expect(bridge.log.find(({ event }) => event === 'signed_in')).toMatchObject({
    address: `127.0.0.1:${simulator.port}`,
  });
});

test('an address at which nobody listens is named', async () => {
  simulator = await startSimulator();
  bridge = await startBridge({ simulator, env: { MT5_SERVER: '127.0.0.1:1' } });
  const { problem, retryAfter } = await read();
  expect(problem.code).toBe('broker_unreachable');
  expect(problem.detail).toContain('127.0.0.1:1: connection refused');
  expect(retryAfter).toBeGreaterThan(0);
});

test('another certificate than the pinned one is not trusted, and no sign-in begins', async () => {
  simulator = await startSimulator();
  bridge = await startBridge({ simulator, env: { MT5_TLS: `pin:${'0'.repeat(64)}` } });
  const { problem } = await read();
  expect(problem.code).toBe('broker_unreachable');
  expect(problem.detail).toContain(simulator.certificateSha256);
  expect(simulator.stats().requests).toBe(0);
});

test('by default the certificate must be verified; insecure takes any, with a loud warning', async () => {
  simulator = await startSimulator();
  bridge = await startBridge({ simulator, env: { MT5_TLS: undefined } });
  const { problem } = await read();
  expect(problem.detail).toContain('MT5_TLS=pin');
  expect(simulator.stats().requests).toBe(0);
  await bridge.close();
  bridge = await startBridge({ simulator, env: { MT5_TLS: 'insecure' } });
  expect((await read()).status).toBe(200);
  expect(bridge.log[0]).toMatchObject({ level: 'warn', event: 'insecure_tls' });
});

test('through an HTTP CONNECT proxy with credentials; its password is never shown', async () => {
  simulator = await startSimulator();
  const proxy = await startProxy('desk:s3cret-of-proxy');
  bridge = await startBridge({ simulator, env: { MT5_PROXY: `http://desk:s3cret-of-proxy@127.0.0.1:${proxy.port}` } });
  expect((await read()).status).toBe(200);
  expect(proxy.asked).toEqual([`127.0.0.1:${simulator.port}`]);
  await bridge.close();

  bridge = await startBridge({ simulator, env: { MT5_PROXY: `http://desk:wrong-proxy-pass@127.0.0.1:${proxy.port}` } });
  const { problem } = await read();
  expect(problem.detail).toContain('407');
  expect(JSON.stringify([problem, bridge.log])).not.toContain('wrong-proxy-pass');
  await bridge.close();
  await proxy.close();
});

test('while sign-ins are paused callers are told at once; afterwards the bridge signs in by itself', async () => {
  simulator = await startSimulator();
  simulator.fault({ kind: 'maintenance', ms: 60_000 });
  bridge = await startBridge({ simulator, signIn: { baseMs: 300, capMs: 300 } });
  const { problem } = await read();
  expect(problem.code).toBe('broker_unreachable');
  simulator.reset();
  await expect.poll(async () => (await read()).status).toBe(200);
});
