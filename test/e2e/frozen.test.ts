import { it, type TestContext } from 'vitest';
import type { ProcessRecord } from '../../scripts/local/engine.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../simulator/server.ts';
import { StreamClient } from '../support/stream-client.ts';
import { type Edge, startEdge } from './support/edge.ts';

interface Road {
  readonly simulator: Simulator;
  readonly edge: Edge;
  /** What the journal holds, oldest first. */
  readonly journal: () => Promise<string[]>;
}

/** A road of the test's own: most of the first two is waiting, which they do side by side. */
async function start(
  { onTestFinished }: TestContext,
  options: SimulatorOptions = {},
  refusal?: 'docker',
): Promise<Road> {
  const simulator = await startSimulator(options);
  onTestFinished(() => simulator.close());
  const edge = await startEdge({ simulator, vars: { POOL_MAX: '1' }, ...(refusal ? { refusal } : {}) });
  onTestFinished(async () => {
    edge.engine.kill('SIGKILL');
    await edge.close();
  });
  const journal = async (): Promise<string[]> => {
    const { body } = await edge.json('/admin/journal', { headers: { 'x-api-key': edge.keys.admin } });
    return (body['items'] as { event: string; reason: string }[]).map(({ event }) => event).reverse();
  };
  return { simulator, edge, journal };
}

/** The container's process is stopped where it is (SIGSTOP): it takes connections and does nothing. */
function freeze(edge: Edge): number {
  const frozenAtMs = Date.now();
  edge.engine.kill('SIGSTOP');
  return frozenAtMs;
}

it.concurrent('a frozen container is replaced within 15 s: waiting reads are answered in their time, an order is told as not sent', async (context) => {
  const { expect } = context;
  const { simulator, edge, journal } = await start(context, { ticksPerSecond: 20 });
  await edge.scheduled();
  const frozenAtMs = freeze(edge);
  const reads = Array.from({ length: 20 }, (_, i) => edge.json(`/v1/accounts/${1001 + i}`));
  const order = edge.json('/v1/orders', {
    method: 'POST',
    headers: { 'x-api-key': edge.keys.trade, 'content-type': 'application/json', 'idempotency-key': 'frozen' },
    body: JSON.stringify({ login: 1001, symbol: 'EURUSD', side: 'buy', type: 'market', volume: '0.10' }),
  });
  await expect.poll(() => edge.engine.processes.length, { interval: 50 }).toBe(2);
  expect((edge.engine.processes[1]?.startedAtMs ?? Infinity) - frozenAtMs).toBeLessThan(15_000);
  const answers = await Promise.all(reads);
  expect(answers.map(({ status, body }) => [status, body['login']])).toEqual(answers.map((_, i) => [200, 1001 + i]));
  expect(await order).toMatchObject({ status: 503, body: { outcome: 'not_sent', retry: 'after' } });
  expect(await journal()).toEqual(['start', 'ready', 'crash', 'start', 'ready']);
  expect(simulator.stats().handshakes).toBe(2);
});

it.concurrent('without a request, streams tell session_lost and stale, and go on with the next container', async (context) => {
  const { expect } = context;
  const { edge } = await start(context, { ticksPerSecond: 20 });
  await edge.scheduled();
  const client = await StreamClient.open(`${edge.url}/v1/stream`, { key: edge.keys.read });
  client.send({ op: 'subscribe', topic: 'ticks', symbols: ['EURUSD'] });
  await client.first('snapshot', 'ticks');
  const frozenAtMs = freeze(edge);
  await expect.poll(() => edge.engine.processes.length, { interval: 50 }).toBe(2);
  expect((edge.engine.processes[1]?.startedAtMs ?? Infinity) - frozenAtMs).toBeLessThan(15_000);
  await expect.poll(() => client.of('snapshot', 'ticks').length).toBe(2);
  const events = client.of('system', 'system').map(({ data }) => (data as { event: string }).event);
  expect(events).toEqual(['session_lost', 'session_replaced']);
  expect(client.of('stale', 'ticks').map(({ data }) => data)).toEqual([{ symbols: ['EURUSD'] }]);
  client.close();
});

it('behind a sidecar that answers 400 while nothing listens, start and kill are met as elsewhere', async (context) => {
  const { expect } = context;
  const { edge, journal } = await start(context, {}, 'docker');
  const reads = await Promise.all(Array.from({ length: 20 }, (_, i) => edge.json(`/v1/accounts/${1001 + i}`)));
  expect(reads.map(({ status }) => status)).toEqual(reads.map(() => 200));
  edge.engine.kill('SIGKILL');
  const again = await Promise.all(Array.from({ length: 20 }, (_, i) => edge.json(`/v1/accounts/${1001 + i}`)));
  expect(again.map(({ status }) => status)).toEqual(again.map(() => 200));
  expect(await journal()).toEqual(['start', 'ready', 'crash', 'start', 'ready']);
});

it('SIGTERM in the start is neither a failed start nor a crash', async (context) => {
  const { expect } = context;
  const { edge, journal } = await start(context);
  const reading = edge.json('/v1/accounts/1001');
  const first = (): ProcessRecord | undefined => edge.engine.processes[0];
  // Whenever it comes: before Node runs any script (143), while the program loads, or after.
  await expect
    .poll(
      () => {
        if (first() && first()?.exitCode === undefined) process.kill(first()?.pid ?? 0, 'SIGTERM');
        return first()?.exitCode;
      },
      { interval: 5 },
    )
    .toBeOneOf([0, 143]);
  expect(await reading).toMatchObject({ status: 200, body: { login: 1001 } });
  const events = await journal();
  expect(events.filter((event) => event === 'crash' || event === 'error')).toEqual([]);
  expect(events).toContain('stop');
});
