import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { type Edge, startEdge } from './support/edge.ts';

/** Two brokers behind one Worker: each has its own server, container and sign-in; the keys are those of both. */
let simulators: readonly [Simulator, Simulator];
let edge: Edge;

beforeAll(async () => {
  simulators = [await startSimulator(), await startSimulator({ seed: 2 })];
  const entry = ({ host, port, certificateSha256 }: Simulator, id: string): Record<string, unknown> => ({
    id,
    server: `${host}:${port}`,
    login: '1000',
    passwordSecret: `${id.toUpperCase()}_PASSWORD`,
    pool: 1,
    tls: `pin:${certificateSha256}`,
  });
  edge = await startEdge({
    simulator: simulators[0],
    vars: {
      MT5_SERVER: '',
      MT5_LOGIN: '',
      MT5_PASSWORD: '',
      MAIN_PASSWORD: 'Password1',
      SECOND_PASSWORD: 'Password1',
      BROKERS: JSON.stringify([entry(simulators[0], 'main'), entry(simulators[1], 'second')]),
    },
  });
});
afterAll(async () => {
  await edge?.close();
  await Promise.all(simulators.map((simulator) => simulator.close()));
});

const signIns = (): readonly number[] => simulators.map((simulator) => simulator.stats().handshakes);
const admin = (): Record<string, string> => ({ 'x-api-key': edge.keys.admin, 'content-type': 'application/json' });

it('cron warms both; the end of one container leaves the other and its session alone', async () => {
  await edge.scheduled();
  expect(signIns()).toEqual([1, 1]);
  const [, second] = edge.engine.running();
  process.kill(second?.pid ?? 0, 'SIGKILL');
  expect((await edge.json('/v1/accounts/1001')).body).toMatchObject({ login: 1001 });
  expect((await edge.json('/brokers/second/v1/accounts/1001')).body).toMatchObject({ login: 1001 });
  expect(signIns()).toEqual([1, 2]);
  expect((await edge.json('/v1/brokers')).body['items']).toMatchObject([
    { id: 'main', ready: true, session: 'ready', container: 'running' },
    { id: 'second', ready: true, session: 'ready', container: 'running' },
  ]);
});

it('reference data is answered while the container of its broker sleeps, which goes on sleeping', async () => {
  const path = '/brokers/second/v1/symbols/EURUSD';
  const first = await edge.fetch(path);
  expect(first.status).toBe(200);
  const text = await first.text();
  const running = edge.engine.running().length;
  await edge.json('/brokers/second/admin/sleep', { method: 'POST', headers: admin() });
  await expect.poll(() => edge.engine.running().length).toBe(running - 1);
  for (const headers of [{}, { accept: 'application/json' }]) {
    const kept = await edge.fetch(path, { headers });
    expect([kept.status, await kept.text()]).toEqual([200, text]);
    expect(kept.headers.get('cache-status')).toMatch(/^(durable-object|isolate); hit/);
  }
  // The other broker's answer is another.
  expect((await edge.fetch('/v1/symbols/EURUSD')).headers.get('cache-status')).toContain('fwd=uri-miss');
  const starts = edge.engine.processes.length;
  expect((await edge.fetch(path, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } })).status).toBe(304);
  expect([edge.engine.processes.length, signIns()]).toEqual([starts, [1, 2]]);
});

it('a trader’s session at one broker ends with the key that opened it, wherever that is revoked', async () => {
  const made = await edge.json('/admin/keys', {
    method: 'POST',
    headers: admin(),
    body: JSON.stringify({ id: 'desk-2', scopes: ['trade'], brokers: ['second'] }),
  });
  const key = String(made.body['key']);
  const open = (prefix: string) =>
    edge.json(`${prefix}/v1/sessions`, {
      method: 'POST',
      headers: { 'x-api-key': key, 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() },
      body: JSON.stringify({ login: 1001, password: 'Client1001!' }),
    });
  // A door knows of a new key within five seconds.
  await expect.poll(async () => (await open('')).body['code']).toBe('broker_not_allowed');
  const { token } = (await open('/brokers/second')).body;
  const seen = async (prefix: string): Promise<number> =>
    (await edge.json(`${prefix}/v1/accounts/1001`, { headers: { authorization: `Bearer ${String(token)}` } })).status;
  expect([await seen('/brokers/second'), await seen('')]).toEqual([200, 401]);
  await edge.json('/admin/keys/desk-2', { method: 'DELETE', headers: admin() });
  await expect.poll(() => seen('/brokers/second')).toBe(401);
});

const halt = (prefix: string, what: 'halt' | 'resume'): Promise<{ status: number }> =>
  edge.json(`${prefix}/admin/trading/${what}`, {
    method: 'POST',
    headers: admin(),
    body: JSON.stringify(what === 'halt' ? { reason: 'test' } : {}),
  });
const order = (prefix: string) =>
  edge.json(`${prefix}/v1/orders`, {
    method: 'POST',
    headers: { ...admin(), 'idempotency-key': crypto.randomUUID() },
    body: JSON.stringify({ login: 1001, symbol: 'EURUSD', side: 'buy', type: 'market', volume: '0.01' }),
  });
const read = async (prefix: string, login: number): Promise<number> =>
  (await edge.fetch(`${prefix}/v1/accounts/${login}/money`)).status;

/** What becomes of the second broker, and how many sign-ins it has cost once it has answered a read again. */
const TROUBLES: readonly (readonly [name: string, begin: () => unknown, signIns: number])[] = [
  ['killed', () => process.kill(edge.engine.running().find(({ pid }) => pid !== mainPid)?.pid ?? 0, 'SIGKILL'), 1],
  ['asleep', () => edge.json('/brokers/second/admin/sleep', { method: 'POST', headers: admin() }), 1],
  ['halted', () => halt('/brokers/second', 'halt'), 0],
];
let mainPid = 0;

it.each(TROUBLES)(
  'one that is %s: every read and order of the other is answered by the session it has',
  async (name, begin, more) => {
    await Promise.all([read('', 1001), read('/brokers/second', 1001)]);
    const before = signIns();
    // The first of both containers to be started was that of the first broker.
    mainPid = edge.engine.processes[0]?.pid ?? 0;
    const beside = Array.from({ length: 30 }, (_, i) => read('', 1001 + (i % 10)));
    await begin();
    beside.push(...Array.from({ length: 30 }, (_, i) => read('', 1001 + (i % 10))));
    expect(new Set(await Promise.all(beside))).toEqual(new Set([200]));
    expect((await order('')).status).toBe(201);
    expect(signIns()[0]).toBe(before[0]);
    if (name === 'halted') {
      expect(await order('/brokers/second')).toMatchObject({ body: { code: 'trading_halted' } });
      await halt('/brokers/second', 'resume');
    }
    expect(await read('/brokers/second', 1001)).toBe(200);
    expect(signIns()).toEqual([before[0], (before[1] ?? 0) + more]);
  },
);

it('no password is told anywhere', () => {
  expect(edge.containerLog.join('\n')).not.toContain('Password1');
});
