import { expect, it } from 'vitest';
import { startSimulator } from '../simulator/server.ts';
import { accessFaults, MATRIX_KEYS } from '../support/access-matrix.ts';
import { startEdge } from './support/edge.ts';

it('every operation × every kind of caller, through the door', async () => {
  const simulator = await startSimulator({ ticksPerSecond: 1 });
  const edge = await startEdge({ simulator, vars: { BRIDGE_API_KEYS: MATRIX_KEYS } });
  try {
    const send = (path: string, init: RequestInit): Promise<Response> => globalThis.fetch(edge.url + path, init);
    expect(await accessFaults(send, () => true)).toEqual([]);
  } finally {
    await edge.close();
    await simulator.close();
  }
}, 120_000);
