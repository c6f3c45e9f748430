import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { bundledBridgeProgram } from '../local/bridge-program.ts';
import type { Broker } from './broker.ts';
import { edgeRoad } from './edge-road.ts';
import { KeptProgram } from './kept-program.ts';
import { type Fault, freeze, newSoakKeys, type Road, signal } from './road.ts';
import { bridgeVariables, LISTENING } from './vps-road.ts';
import { freePort } from '../../test/support/free-port.ts';

/** The edge road with a second program as its fallback, which takes writes as well: over the switch there and back. */
export async function fallbackRoad(broker: Broker, onLine: (source: string, line: string) => void): Promise<Road> {
  const doorKey = randomBytes(32).toString('hex');
  let isGone = false;
  const port = await freePort();
  const { command, env } = await bundledBridgeProgram();
  const { BRIDGE_API_KEYS: _, ...variables } = bridgeVariables(broker, await newSoakKeys());
  const vps = new KeptProgram({
    name: 'vps',
    command,
    onLine: (line) => onLine('vps', line),
    readyLine: LISTENING,
    env: { ...env, ...variables, DOOR_KEY: doorKey, PORT: String(port) },
  });
  await vps.ready;
  const edge = await edgeRoad(
    broker,
    onLine,
    {
      FALLBACK_ORIGIN: `http://127.0.0.1:${port}`,
      FALLBACK_KEY: doorKey,
      FALLBACK_WRITES: 'on',
      FALLBACK_AFTER_MS: '3000',
    },
    () => isGone,
  );
  const faults: Record<string, Fault> = {
    ...edge.faults,
    'no container to be had': {
      weight: 12,
      inject: async (durationMs) => {
        isGone = true;
        signal(edge.processes()['container'] ?? 0, 'SIGKILL');
        await delay(durationMs);
        isGone = false;
      },
    },
    'kill VPS': { weight: 3, inject: async () => signal(vps.pid, 'SIGKILL') },
    'freeze VPS': { weight: 2, inject: (durationMs) => freeze(vps.pid, durationMs) },
  };
  return {
    ...edge,
    name: 'fallback',
    keys: { ...edge.keys, secrets: [...edge.keys.secrets, doorKey] },
    faults,
    starts: () => edge.starts() + vps.starts,
    processes: () => ({ ...edge.processes(), vps: vps.pid }),
    close: async () => {
      await edge.close();
      await vps.close(10_000);
    },
  };
}
