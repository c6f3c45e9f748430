import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from '../measure/child.ts';
import { newBenchKey } from './bench-key.ts';
import { SimulatorProcess } from './simulator-process.ts';
import type { RunningSystem, System } from './system.ts';

export interface EdgeHostRequest {
  readonly op: 'running' | 'kill' | 'kill newest';
}
export interface EdgeHostAnswer {
  readonly running: number;
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;

export interface EdgeHost {
  readonly child: Child;
  readonly url: string;
}

export async function startEdgeHost(env: Record<string, string>): Promise<EdgeHost> {
  const child = new Child('scripts/bench/systems/edge-host.ts', { placement: 'anywhere', ipc: true, env });
  const [, url = ''] = await child.line(/^listening (\S+)/, START_TIMEOUT_MS);
  return { child, url };
}

async function untilNothingRuns(host: Child): Promise<void> {
  const giveUpAtMs = performance.now() + STOP_TIMEOUT_MS;
  while ((await host.ask<EdgeHostAnswer>({ op: 'running' }, 5_000)).running > 0) {
    if (performance.now() > giveUpAtMs) throw new Error('the container did not stop');
    await sleep(20);
  }
  // The Durable Object learns of the exit a little later than the engine.
  await sleep(150);
}

export const edge: System = {
  name: 'edge',
  title: 'Worker → Durable Object → container, in workerd on this machine',
  kind: 'edge',
  placement: 'anywhere',
  works: ['cached', 'typed', 'passthrough', 'batch', 'worst-body', 'order', 'stream'],
  start: async (): Promise<RunningSystem> => {
    const simulator = await SimulatorProcess.start();
    const key = newBenchKey();
    const { child, url } = await startEdgeHost({
      VARS: JSON.stringify({
        ...simulator.env,
        BRIDGE_API_KEYS: key.setting,
        POOL_MAX: '4',
        // The limit is there to be reached; here it would be what is measured.
        RATE_LIMIT_PER_SECOND: '1000000',
        RATE_LIMIT_BURST: '1000000',
      }),
    });
    return {
      url,
      headers: key.headers,
      simulator,
      pids: [child.pid],
      makeCold: async () => {
        const answer = await fetch(`${url}/admin/sleep`, { method: 'POST', headers: key.headers });
        await answer.body?.cancel();
        if (!answer.ok) throw new Error(`/admin/sleep: ${answer.status}`);
        await untilNothingRuns(child);
      },
      stop: async () => {
        await child.stop(10_000);
        await simulator.stop();
      },
    };
  },
};

export const edgeFloor = (bodyBytes: number): System => ({
  ...floorOf('empty-worker', bodyBytes),
  name: 'edge-floor',
  title: 'floor of the edge: the same Container class with an empty program',
});

export const workerFloor = (bodyBytes: number): System => ({
  ...floorOf('lone-worker', bodyBytes, false),
  name: 'worker-floor',
  title: 'floor of the door: an empty Worker that writes a ready buffer',
});

/**
 * @param worker of floors/worker/
 * @param hasContainer a Worker alone is never cold
 */
const floorOf = (worker: string, bodyBytes: number, hasContainer = true): Omit<System, 'name' | 'title'> => ({
  kind: 'floor',
  placement: 'anywhere',
  works: ['cached'],
  // `/` is a file among the Worker's assets, which no Worker of ours would see.
  cachedPath: '/floor',
  start: async (): Promise<RunningSystem> => {
    const { child, url } = await startEdgeHost({
      FLOOR: worker,
      BODY_BYTES: String(bodyBytes),
      VARS: JSON.stringify({
        BRIDGE_API_KEYS: newBenchKey().setting,
        BODY_BYTES: String(bodyBytes),
        MT5_SERVER: 'localhost:1',
        MT5_LOGIN: '1',
        MT5_PASSWORD: 'none needed',
      }),
    });
    return {
      url,
      headers: {},
      simulator: undefined,
      pids: [child.pid],
      ...(hasContainer
        ? {
            makeCold: async () => {
              await child.ask<EdgeHostAnswer>({ op: 'kill' }, 5_000);
              await untilNothingRuns(child);
            },
          }
        : {}),
      stop: () => child.stop(10_000),
    };
  },
});
