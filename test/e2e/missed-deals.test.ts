import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStream } from '../../container/client/streams.ts';
import { type BridgeUnderTest, startBridge } from '../support/bridge.ts';
import { StreamClient } from '../support/stream-client.ts';
import { TradingClient } from '../support/trading.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { type Edge, startEdge } from './support/edge.ts';

/** Somebody else trades on without pause while the container that the streams come from is killed. */
let simulator: Simulator;
let edge: Edge;
let others: BridgeUnderTest;

beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 20 });
  edge = await startEdge({ simulator, vars: { POOL_MAX: '1' } });
  others = await startBridge({ simulator, env: { POOL_MAX: '1' } });
});
afterAll(async () => {
  await others?.close();
  await edge?.close();
  await simulator?.close();
});

/** Trades until stopped. @returns tickets of the deals, in order */
function trading(): { count: () => number; stop: () => Promise<string[]> } {
  const client = new TradingClient(others);
  const tickets: string[] = [];
  const stopped = new AbortController();
  const work = (async () => {
    for (let i = 0; !stopped.signal.aborted; i++) {
      const { body } = await client.order(`missed-${Math.random()}-${i}`, { login: 1001 + (i % 2) });
      tickets.push(...(body['deals'] as { ticket: string }[]).map(({ ticket }) => ticket));
    }
  })();
  return {
    count: () => tickets.length,
    stop: async () => {
      stopped.abort();
      await work;
      return tickets;
    },
  };
}

const rowsOf = (client: StreamClient): string[] =>
  client.of('delta', 'deals').flatMap(({ data }) => (data as { ticket: string }[]).map(({ ticket }) => ticket));

it('after a kill every deal has come once, and the gap says since when', async () => {
  const beganAtMs = Date.now();
  const client = await StreamClient.open(`${edge.url}/v1/stream`, { key: edge.keys.read });
  client.send({ op: 'subscribe', topic: 'deals', logins: [1001, 1002] });
  await client.first('snapshot', 'deals');
  const all: string[] = [];
  const reading = openStream('deals', { logins: [1001, 1002] }, { baseUrl: edge.url, key: edge.keys.read });
  const reader = (async () => {
    for await (const event of reading) if (event.type === 'delta') all.push(...event.data.map(({ ticket }) => ticket));
  })();
  await expect.poll(() => edge.engine.processes.length).toBe(1);
  const others = trading();
  await expect.poll(() => rowsOf(client).length).toBeGreaterThan(5);
  await expect.poll(() => all.length).toBeGreaterThan(3);
  const firstSeen = all[0] ?? '';
  edge.engine.kill('SIGKILL');
  const before = others.count();
  await expect.poll(() => others.count()).toBeGreaterThan(before + 20);
  await expect.poll(() => client.of('snapshot', 'deals').length).toBe(2);
  const replacedAtMs = Date.now();
  const tickets = await others.stop();
  await expect.poll(() => new Set(rowsOf(client)).size).toBe(tickets.length);
  expect(rowsOf(client).toSorted()).toEqual(tickets.toSorted());
  const { sinceMs } = (await client.first('gap', 'deals')).data as { sinceMs: number };
  expect(sinceMs).toBeGreaterThan(beganAtMs);
  expect(sinceMs).toBeLessThan(replacedAtMs);
  client.expectUnbroken('deals');
  await expect.poll(() => all.length).toBe(tickets.length - tickets.indexOf(firstSeen));
  await reading.return?.();
  await reader;
  client.close();
});
