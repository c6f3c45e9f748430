import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { effectsOf, TradingClient } from '../support/trading.ts';
import { type Edge, startEdge } from './support/edge.ts';

/** Trading through the whole road: door, Durable Object with the ledger, container as a process, simulator. */
let simulator: Simulator;
let edge: Edge;
let client: TradingClient;
beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 1 });
  edge = await startEdge({ simulator });
  client = new TradingClient({
    fetch: (path, init = {}) => {
      const headers = new Headers(init.headers);
      headers.set('x-api-key', edge.keys.admin);
      return edge.fetch(path, { ...init, headers });
    },
  });
});
afterAll(async () => {
  await edge?.close();
  await simulator?.close();
});

const count = (command: string): number => simulator.stats().byCommand[command] ?? 0;
const SEND = 'dealer/send_request';
const settled = (key: string): Promise<void> =>
  expect.poll(async () => (await client.operation(key)).state, { timeout: 25_000, interval: 200 }).toBe('done');

it('50 concurrent requests with one key at a cold system are one order', async () => {
  const answers = await Promise.all(Array.from({ length: 50 }, () => client.order('cold')));
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status !== 201 && status !== 409)).toEqual([]);
  expect(statuses).toContain(201);
  expect(count(SEND)).toBe(1);
  expect((await client.order('cold')).headers.get('idempotency-replayed')).toBe('true');
  expect(simulator.stats().mutations).toBe(1);
});

it('kill -9 after execution, before the answer: unknown, then found, and the key never sends again', async () => {
  const { mutations } = simulator.stats();
  simulator.fault({ kind: 'hang', command: 'dealer/get_request_result' });
  const polls = count('dealer/get_request_result');
  const answering = client.order('killed', { comment: 'e2e' });
  await expect.poll(() => count('dealer/get_request_result')).toBe(polls + 1);
  edge.engine.kill('SIGKILL');
  expect(await answering).toMatchObject({ status: 202, body: { operation: { key: 'killed', state: 'unknown' } } });
  await settled('killed');
  const again = await client.order('killed', { comment: 'e2e' });
  expect(again).toMatchObject({ status: 201, body: { operation: { state: 'done' }, deals: [{ symbol: 'EURUSD' }] } });
  expect(effectsOf(simulator.books(), again.body.operation?.tag ?? '')).toBe(1);
  expect(simulator.stats().mutations).toBe(mutations + 1);
});

it('money that was executed and lost on the way is found without anyone asking', async () => {
  simulator.fault({ kind: 'drop-after-execution', command: 'trade/balance' });
  expect(await client.balance('lost-money', '75.00')).toMatchObject({ status: 202 });
  await settled('lost-money');
  expect(count('trade/balance')).toBe(1);
});

it('SIGTERM in the middle of an order lets it end', async () => {
  await client.order('before-term');
  const before = count(SEND);
  simulator.fault({ kind: 'slow', command: SEND, ms: 700 });
  const answering = client.order('term');
  await expect.poll(() => count(SEND)).toBe(before + 1);
  edge.engine.kill('SIGTERM');
  expect((await answering).status).toBe(201);
  // The process that ends refuses, unsent; the next one knows the answer.
  const again = async (): Promise<string | null> => (await client.order('term')).headers.get('idempotency-replayed');
  await expect.poll(again, { interval: 200 }).toBe('true');
  expect(count(SEND)).toBe(before + 1);
});

it('operations, kill switch and sessions are answered asleep', async () => {
  await client.write('POST', '/admin/sleep', undefined, 'sleep');
  await expect
    .poll(async () => (await edge.json('/v1/status')).body['container'])
    .toMatchObject({
      state: 'stopped',
    });
  const processes = edge.engine.processes.length;
  expect(await client.operation('cold')).toMatchObject({ state: 'done' });
  const halt = await client.write('POST', '/admin/trading/halt', { reason: 'night' }, 'halt');
  expect(halt.body).toMatchObject({ halted: true, reason: 'night' });
  expect((await client.write('GET', '/v1/sessions', undefined, 'list')).body).toMatchObject({ items: [] });
  expect(edge.engine.processes).toHaveLength(processes);
  expect((await client.order('halted')).body).toMatchObject({ code: 'trading_halted', outcome: 'not_sent' });
  await client.write('POST', '/admin/trading/resume', undefined, 'resume');
  expect((await client.order('halted')).status).toBe(201);
});
