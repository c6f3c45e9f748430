import { randomBytes } from 'node:crypto';
import { newBenchKey } from './bench-key.ts';
import { startEdgeHost } from './edge.ts';
import { SimulatorProcess } from './simulator-process.ts';
import type { RunningSystem, System } from './system.ts';
import { POOL, startContainerProcess } from './vps.ts';

/** The door and its Durable Object, with a VPS in place of the container: what `FALLBACK_ORIGIN` and `ORIGIN=vps` answer by. */
export const fallback: System = {
  name: 'fallback',
  title:
    'Worker → Durable Object in workerd on this machine → the container program as on a VPS, which took over since no container can be had; orders too (FALLBACK_WRITES=on). ORIGIN=vps is the same road',
  kind: 'edge',
  placement: 'anywhere',
  works: ['cached', 'typed', 'order'],
  isBeside: true,
  start: async (): Promise<RunningSystem> => {
    const simulator = await SimulatorProcess.start();
    const key = newBenchKey();
    const doorKey = randomBytes(32).toString('hex');
    const program = await startContainerProcess(simulator, {
      poolMax: POOL,
      placement: 'anywhere',
      env: { DOOR_KEY: doorKey },
    });
    const { child, url } = await startEdgeHost({
      NO_CONTAINER: '1',
      VARS: JSON.stringify({
        ...simulator.env,
        BRIDGE_API_KEYS: key.setting,
        FALLBACK_ORIGIN: program.url,
        FALLBACK_KEY: doorKey,
        FALLBACK_WRITES: 'on',
        FALLBACK_AFTER_MS: '100',
        RATE_LIMIT_PER_SECOND: '1000000',
        RATE_LIMIT_BURST: '1000000',
      }),
    });
    const stop = async (): Promise<void> => {
      await child.stop(10_000);
      await program.child.stop();
      await simulator.stop();
    };
    try {
      await untilTaken(url, key.headers);
    } catch (error) {
      await stop();
      throw error;
    }
    return { url, headers: key.headers, simulator, pids: [child.pid, program.child.pid], stop };
  },
};

/** The first request waits for the container in vain, and then for the sign-in of the fallback. */
async function untilTaken(url: string, headers: Readonly<Record<string, string>>): Promise<void> {
  const answer = await fetch(`${url}/v1/accounts/1001/money`, { headers });
  const origin = answer.headers.get('x-bridge-origin');
  const text = await answer.text();
  if (!answer.ok || origin !== 'fallback') throw new Error(`the fallback did not take over: ${answer.status} ${text}`);
}
