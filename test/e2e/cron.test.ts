import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { type Edge, startEdge } from './support/edge.ts';

let simulator: Simulator;
let edge: Edge;

beforeAll(async () => {
  simulator = await startSimulator();
  edge = await startEdge({ simulator, vars: { SLEEP_AFTER: '2s' } });
});
afterAll(async () => {
  await edge?.close();
  await simulator?.close();
});

const session = async (): Promise<unknown> => ((await edge.json('/readyz')).body['session'] as { state: string }).state;

it('probes of a sleeping bridge start nothing', async () => {
  expect((await edge.json('/healthz')).status).toBe(200);
  expect(await edge.json('/readyz')).toMatchObject({ status: 200, body: { session: { state: 'asleep' } } });
  expect((await edge.json('/v1/status')).status).toBe(200);
  expect(edge.engine.processes).toHaveLength(0);
});

it('twenty firings: one start, one sign-in, a session ready; the next read causes neither', async () => {
  await Promise.all(Array.from({ length: 10 }, () => edge.scheduled()));
  for (let i = 0; i < 10; i++) await edge.scheduled();
  expect(await session()).toBe('ready');
  expect((await edge.fetch('/api/user/get?login=1001')).status).toBe(200);
  expect(edge.engine.processes).toHaveLength(1);
  expect(simulator.stats().handshakes).toBe(1);
});

it('sleeps when nobody asks, probes notwithstanding, and says goodbye to the broker', async () => {
  await expect
    .poll(
      async () => {
        await edge.json('/readyz');
        return edge.engine.running().length;
      },
      { timeout: 15_000 },
    )
    .toBe(0);
  expect(edge.engine.processes.at(-1)?.exitCode).toBe(0);
  await expect.poll(session).toBe('asleep');
});
