import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keyRecord } from '../support/bridge.ts';
import { spawnBridge, type BridgeProcess } from '../support/bridge-process.ts';
import { startScriptedServer } from '../support/scripted-server.ts';
import { startSimulator, type Simulator } from '../simulator/server.ts';
import { simulatorVariables } from '../support/simulator-variables.ts';

const KEY = 'mt5k_process-tests-only';
let simulator: Simulator;
let bridge: BridgeProcess | undefined;

beforeEach(async () => {
  simulator = await startSimulator();
});
afterEach(async () => {
  bridge?.child.kill('SIGKILL');
  await bridge?.exited;
  await simulator.close();
});

async function start(env: Record<string, string> = {}): Promise<string> {
  bridge = await spawnBridge({
    ...simulatorVariables(simulator),
    BRIDGE_API_KEYS: JSON.stringify([await keyRecord('desk', KEY, ['read'])]),
    CHECKPOINT: 'memory:',
    PORT: '0',
    ...env,
  });
  return `http://127.0.0.1:${await bridge.listening}`;
}
const headers = { 'x-api-key': KEY };

test('a bad configuration ends the process with every fault named, and no secret shown', async () => {
  const env = { MT5_PASSWORD: 'NobodyMaySeeThis1!', POOL_MAX: 'many', MT5_TLS: 'maybe' };
  // From its sources, as `npm run bridge` starts it.
  bridge = await spawnBridge(env, path.resolve(import.meta.dirname, '../../container/main.ts'));
  expect(await bridge.exited).toBe(1);
  const [entry] = bridge.log;
  expect(entry).toMatchObject({ level: 'error', event: 'configuration_not_valid' });
  const faults = (entry?.['faults'] ?? []) as string[];
  expect(new Set(faults.map((fault) => fault.split(':')[0]))).toEqual(
    new Set(['BRIDGE_API_KEYS', 'MT5_LOGIN', 'MT5_SERVER', 'MT5_TLS', 'POOL_MAX']),
  );
  expect(bridge.output()).not.toContain('NobodyMaySeeThis1!');
});

test('a port that is taken and a checkpoint that cannot be written are faults of the configuration too', async () => {
  const url = await start();
  await bridge?.listening;
  const base = {
    MT5_SERVER: `${simulator.host}:${simulator.port}`,
    MT5_LOGIN: '1000',
    MT5_PASSWORD: 'Password1',
    BRIDGE_API_KEYS: JSON.stringify([await keyRecord('desk', KEY, ['read'])]),
  };
  for (const [name, wrong] of [
    ['PORT', { PORT: new URL(url).port, CHECKPOINT: 'memory:' }],
    ['CHECKPOINT', { PORT: '0', CHECKPOINT: 'file:/dev/null/state.sqlite' }],
  ] as const) {
    const failing = await spawnBridge({ ...base, ...wrong });
    expect(await failing.exited).toBe(1);
    expect(failing.log.at(-1)).toMatchObject({
      event: 'configuration_not_valid',
      faults: [expect.stringMatching(`^${name}: `)],
    });
  }
});

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  test(`${signal}: what is in flight finishes, new work is told to come back, the server hears quit`, async () => {
    const url = await start();
    expect((await fetch(`${url}/api/user/get?login=1001`, { headers })).status).toBe(200);
    simulator.fault({ kind: 'slow', ms: 2_000 });
    const inFlight = fetch(`${url}/api/user/get?login=1002`, { headers });
    await expect.poll(() => simulator.stats().byCommand['user/get']).toBe(2);
    bridge?.child.kill(signal);
    await expect.poll(() => bridge?.log.some(({ event }) => event === 'draining')).toBe(true);

    const refused = await fetch(`${url}/api/user/get?login=1003`, { headers });
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ code: 'draining', outcome: 'not_sent' });
    expect((await inFlight).status).toBe(200);
    expect(await bridge?.exited).toBe(0);
    expect(simulator.stats()).toMatchObject({ connections: 0, handshakes: 1 });
    expect(simulator.stats().byCommand).toMatchObject({ quit: 1, 'user/get': 2 });
    expect(bridge?.output()).not.toMatch(/Password1|process-tests-only/);
  });

test('MT5_TLS=verify trusts a known authority, and only for the name that was asked for', async () => {
  const server = await startScriptedServer(() => undefined);
  const directory = await mkdtemp(path.join(tmpdir(), 'bridge-ca-'));
  try {
    const authority = path.join(directory, 'ca.pem');
    await writeFile(authority, server.certificatePem);
    const trusted = { NODE_EXTRA_CA_CERTS: authority, MT5_TLS: 'verify' };
    const named = await start({ ...trusted, MT5_SERVER: `localhost:${server.port}` });
    expect((await fetch(`${named}/api/user/get?login=1`, { headers })).status).toBe(200);
    bridge?.child.kill('SIGTERM');
    await bridge?.exited;
    const byAddress = await start({ ...trusted, MT5_SERVER: `127.0.0.1:${server.port}` });
    const refused = await fetch(`${byAddress}/api/user/get?login=1`, { headers });
    expect(refused.status).toBe(503);
    expect(await refused.text()).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
  } finally {
    await server.close();
    await rm(directory, { recursive: true });
  }
});

test('a process that drains while it cannot sign in ends at once', async () => {
  simulator.fault({ kind: 'hang', command: 'auth/start', count: 'always' });
  await start();
  await expect.poll(() => simulator.stats().byCommand['auth/start']).toBe(1);
  const startedAt = performance.now();
  bridge?.child.kill('SIGTERM');
  expect(await bridge?.exited).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(8_000);
});
