import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSimulator, type Simulator } from '../simulator/server.ts';
import { startBridge, type BridgeUnderTest } from '../support/bridge.ts';
import { StreamClient } from '../support/stream-client.ts';

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

const connect = (): Promise<StreamClient> => StreamClient.open(`${bridge.url}/v1/stream`, { key: bridge.readKey });

describe('ticks', () => {
  test('come as ack, snapshot, then deltas whose prev is the seq before', async () => {
    const client = await connect();
    client.send({ op: 'subscribe', id: 1, topic: 'ticks', symbols: ['EURUSD', 'GBPUSD'] });
    await expect.poll(() => client.of('delta').length, { timeout: 10_000 }).toBeGreaterThan(2);
    expect(client.frames[0]).toMatchObject({ type: 'ack', topic: 'ticks', id: 1, data: { silenceLimitMs: 10_000 } });
    expect(client.frames[1]).toMatchObject({ type: 'snapshot', topic: 'ticks', prev: 0 });
    client.expectUnbroken('ticks');
    client.close();
  });
});
