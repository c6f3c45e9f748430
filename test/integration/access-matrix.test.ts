import { expect, it } from 'vitest';
import { startSimulator } from '../simulator/server.ts';
import { accessFaults, MATRIX_KEYS } from '../support/access-matrix.ts';
import { startBridge } from '../support/bridge.ts';

it('every operation × every kind of caller, on a VPS', async () => {
  const simulator = await startSimulator({ ticksPerSecond: 1 });
  const bridge = await startBridge({ simulator, env: { BRIDGE_API_KEYS: MATRIX_KEYS } });
  try {
    const send = (path: string, init: RequestInit): Promise<Response> => globalThis.fetch(bridge.url + path, init);
    const isServed = ({ id }: { id: string }): boolean =>
      !['adminPolicy', 'adminOrigins', 'adminWarm', 'adminSleep'].includes(id);
    expect(await accessFaults(send, isServed)).toEqual([]);
  } finally {
    await bridge.close();
    await simulator.close();
  }
}, 60_000);
