import { expect, it } from 'vitest';
import { startSimulator } from '../simulator/server.ts';
import { startEdge } from './support/edge.ts';

it('the container reads the broker’s hours, and the policy keeps it awake by them', async () => {
  // The simulator's market never closes unless it is told to.
  const simulator = await startSimulator();
  const edge = await startEdge({ simulator, vars: { SLEEP_AFTER: '10s', SLEEP_POLICY: 'calendar' } });
  const policy = async (): Promise<unknown> =>
    (await edge.json('/admin/policy', { headers: { 'x-api-key': edge.keys.admin } })).body;
  try {
    expect(await policy()).toMatchObject({ awake: false, symbols: null, wakesAt: null });
    expect(edge.engine.processes).toHaveLength(0);
    await edge.scheduled();
    await expect
      .poll(policy, { timeout: 10_000 })
      .toMatchObject({ policy: 'calendar', symbols: expect.arrayContaining(['EURUSD']), awake: true });
    expect(await policy()).toMatchObject({ why: expect.stringContaining('trading hours'), missed: [] });
    // Nothing was in use yet; from now on it is what somebody quotes.
    expect(await edge.json('/v1/quotes?symbols=XAUUSD')).toMatchObject({ status: 200 });
    await expect.poll(policy, { timeout: 10_000 }).toMatchObject({ symbols: ['XAUUSD'], awake: true });
  } finally {
    await edge.close();
    await simulator.close();
  }
});
