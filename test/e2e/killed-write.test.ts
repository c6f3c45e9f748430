import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { type Edge, startEdge } from './support/edge.ts';

/** Facts 2 and 4 of the design, through the whole road: what must not be forgotten or done twice when a process dies. */
let simulator: Simulator;
let edge: Edge;

beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 0 });
  edge = await startEdge({ simulator });
});
afterAll(async () => {
  await edge?.close();
  await simulator?.close();
});

const trade = (): Record<string, string> => ({ 'x-api-key': edge.keys.trade, 'content-type': 'application/json' });

it('an order whose container is killed is sent once, told as unknown, and settled by the next one unasked', async () => {
  const body = { login: 1001, symbol: 'EURUSD', side: 'buy', type: 'market', volume: '0.10' };
  await edge.scheduled();
  simulator.fault({ kind: 'slow', command: 'dealer/send_request', ms: 20_000, count: 1 });
  const before = simulator.stats().byCommand['dealer/send_request'] ?? 0;
  const answering = edge.json('/v1/orders', {
    method: 'POST',
    headers: { ...trade(), 'idempotency-key': 'killed' },
    body: JSON.stringify(body),
  });
  const sent = (): number => (simulator.stats().byCommand['dealer/send_request'] ?? 0) - before;
  await expect.poll(sent).toBe(1);
  edge.engine.kill('SIGKILL');
  expect(await answering).toMatchObject({ status: 202, body: { operation: { key: 'killed', state: 'unknown' } } });
  const fate = async (): Promise<unknown> =>
    (await edge.json('/v1/operations/killed', { headers: trade() })).body['state'];
  await expect.poll(fate, { interval: 200 }).toMatch(/^(done|not_executed)$/);
  expect(sent()).toBe(1);
  expect(edge.engine.processes).toHaveLength(2);
});

it('a trader’s session outlives its container; the token opens his own login only', async () => {
  const opened = await edge.json('/v1/sessions', {
    method: 'POST',
    headers: trade(),
    body: JSON.stringify({ login: 1002, password: 'Client1002!' }),
  });
  expect(opened.status).toBe(201);
  const headers = { authorization: `Bearer ${String(opened.body['token'])}` };
  edge.engine.kill('SIGKILL');
  expect((await edge.json('/v1/accounts/1002', { headers })).body).toMatchObject({ login: 1002 });
  expect((await edge.json('/v1/accounts/1001', { headers })).status).toBe(403);
  expect((await edge.json('/v1/sessions/current', { method: 'DELETE', headers })).body).toEqual({ revoked: true });
  expect((await edge.json('/v1/accounts/1002', { headers })).status).toBe(401);
});
