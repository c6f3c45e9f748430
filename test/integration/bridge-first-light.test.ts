import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBridge, type BridgeUnderTest } from '../support/bridge.ts';
import { startSimulator, type Simulator } from '../simulator/server.ts';

let simulator: Simulator;
let bridge: BridgeUnderTest;

beforeAll(async () => {
  simulator = await startSimulator();
  bridge = await startBridge({ simulator });
});
afterAll(async () => {
  await bridge.close();
  await simulator.close();
});

test('a read goes through to the broker byte for byte, over one signed-in connection', async () => {
  const answer = await bridge.fetch('/api/user/get?login=1001');
  expect(answer.status).toBe(200);
  const body = (await answer.json()) as { retcode: string; answer: { Login: string } };
  expect(body.retcode).toBe('0 Done');
  expect(body.answer.Login).toBe('1001');
  expect(answer.headers.get('x-session-epoch')).toBe('1');
  expect(answer.headers.get('x-request-id')).toMatch(/^[\w-]{36}$/);
  expect(simulator.stats()).toMatchObject({ handshakes: 1, handshakesAtFirstCommand: 1 });
});

test('health and readiness answer without a key', async () => {
  expect((await fetch(`${bridge.url}/healthz`)).status).toBe(200);
  await expect.poll(async () => (await fetch(`${bridge.url}/readyz`)).status).toBe(200);
  const ready = (await (await fetch(`${bridge.url}/readyz`)).json()) as { session: { state: string } };
  expect(ready.session.state).toBe('ready');
});

test('without a key, with a wrong one, and with one of too small a scope nothing reaches the broker', async () => {
  const before = simulator.stats().requests;
  const nobody = await fetch(`${bridge.url}/api/user/get?login=1001`);
  expect(nobody.status).toBe(401);
  expect(nobody.headers.get('content-type')).toBe('application/problem+json');
  const wrong = await bridge.fetch('/api/user/get?login=1001', { headers: { 'x-api-key': 'wrong' } });
  expect(wrong.status).toBe(401);
  const small = await bridge.fetch('/api/manager/get', { headers: { 'x-api-key': bridge.readKey } });
  expect(small.status).toBe(403);
  expect(simulator.stats().requests).toBe(before);
});
