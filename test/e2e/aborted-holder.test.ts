import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { type Edge, startEdge } from './support/edge.ts';

/**
 * The Durable Object itself ends in the middle of an order. Its container mostly ends with it; where it does not, the new
 * object finds it running, and the order goes on.
 */
let simulator: Simulator;
let edge: Edge;

beforeEach(async () => {
  simulator = await startSimulator({ ticksPerSecond: 0 });
  edge = await startEdge({ simulator, main: 'test/worker/abortable-worker.ts' });
});
afterEach(async () => {
  await edge?.close();
  await simulator?.close();
});

const headers = (): Record<string, string> => ({ 'x-api-key': edge.keys.trade, 'content-type': 'application/json' });
const order = { login: 1001, symbol: 'EURUSD', side: 'buy', type: 'market', volume: '0.10' };
const place = (): Promise<{ status: number; body: Record<string, unknown> }> =>
  edge.json('/v1/orders', {
    method: 'POST',
    headers: { ...headers(), 'idempotency-key': 'aborted' },
    body: JSON.stringify(order),
  });
const fate = async (): Promise<unknown> =>
  (await edge.json('/v1/operations/aborted', { headers: headers() })).body['state'];
const sent = (): number => simulator.stats().byCommand['dealer/send_request'] ?? 0;

it('aborted before the server executed it: the order is sent once, and the books decide', async () => {
  await edge.scheduled();
  simulator.fault({ kind: 'slow', command: 'dealer/send_request', ms: 4_000, count: 1 });
  const answering = place();
  await expect.poll(sent).toBe(1);
  await (await edge.fetch('/abort-for-test')).text();
  expect(await answering).toMatchObject({ status: 504, body: { code: 'outcome_unknown', outcome: 'unknown' } });
  // Asking again with the same key is safe, and settles it.
  await expect.poll(async () => (await place()).status, { interval: 200 }).toBeOneOf([201, 202]);
  // Executed: found and told as done. Not executed: looked for over the dealer's whole horizon, minutes long.
  expect(simulator.stats().mutations).toBeLessThanOrEqual(1);
  if (simulator.stats().mutations === 1) await expect.poll(fate, { interval: 200 }).toBe('done');
  else expect(await fate()).toBe('unknown');
  expect(sent()).toBe(1);
});

it('aborted after the server executed it: the retry says done, and nothing is sent again', async () => {
  await edge.scheduled();
  simulator.fault({ kind: 'slow', command: 'dealer/get_request_result', ms: 3000, count: 1 });
  const answering = place();
  await expect.poll(() => simulator.stats().byCommand['dealer/get_request_result'] ?? 0).toBe(1);
  await (await edge.fetch('/abort-for-test')).text();
  expect(await answering).toMatchObject({ status: 504, body: { code: 'outcome_unknown' } });
  // Nobody asks for it but by reading the ledger: the new Durable Object settles what the old one left.
  await expect.poll(fate, { interval: 200 }).toBe('done');
  expect(await place()).toMatchObject({ status: 201, body: { operation: { key: 'aborted', state: 'done' } } });
  expect(sent()).toBe(1);
  expect(simulator.stats().mutations).toBe(1);
});
