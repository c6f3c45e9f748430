import { afterEach, beforeEach, expect, it } from 'vitest';
import { openStream } from '../../../container/client/streams.ts';
import { type BridgeUnderTest, startBridge } from '../../support/bridge.ts';
import { TradingClient } from '../../support/trading.ts';
import { type Simulator, startSimulator } from '../../simulator/server.ts';

/** Found by `npm run soak -- --road vps --seed 1`: deals made while the bridge itself was restarted. */
let simulator: Simulator;
let bridge: BridgeUnderTest;
let others: BridgeUnderTest;

beforeEach(async () => {
  simulator = await startSimulator();
  bridge = await startBridge({ simulator });
  others = await startBridge({ simulator });
});
afterEach(async () => {
  await bridge.close();
  await others.close();
  await simulator.close();
});

it('a client gets every deal once, over a restart of the bridge while others trade on', async () => {
  const { port } = bridge;
  const seen: string[] = [];
  const ready = Promise.withResolvers<void>();
  const options = { baseUrl: bridge.url, key: bridge.readKey, random: () => 0.05 };
  const stream = openStream('deals', { logins: [1001] }, options);
  const reading = (async () => {
    for await (const event of stream) {
      if (event.type === 'snapshot') ready.resolve();
      if (event.type === 'delta') seen.push(...event.data.map(({ ticket }) => ticket));
    }
  })();
  await ready.promise;
  const client = new TradingClient(others);
  const made: string[] = [];
  const trade = async (): Promise<void> => {
    const { body } = await client.order(`restart-${made.length}`);
    made.push(...(body['deals'] as { ticket: string }[]).map(({ ticket }) => ticket));
  };
  for (let i = 0; i < 3; i++) await trade();
  await expect.poll(() => seen.length).toBe(3);
  const closing = bridge.close();
  for (let i = 0; i < 5; i++) await trade();
  await closing;
  bridge = await startBridge({ simulator, env: { PORT: String(port) } });
  for (let i = 0; i < 3; i++) await trade();
  await expect.poll(() => seen.length).toBe(made.length);
  expect(seen.toSorted()).toEqual(made.toSorted());
  await stream.return?.();
  await reading;
});
