import path from 'node:path';
import { bundleContainer } from '../../local/bundle-container.ts';
import { newBenchKey } from './bench-key.ts';
import { SimulatorProcess } from './simulator-process.ts';
import type { RunningSystem, System } from './system.ts';
import { startContainerProcess } from './vps.ts';

const BUNDLE = path.resolve('dist/bench/uncounted/container/main.cjs');

/**
 * The container program without its figures, for the cached read alone: of all answers it takes the least processor time,
 * so that counting is the largest part of it.
 */
export const uncounted = (poolMax: number): System => ({
  name: 'vps-uncounted',
  title: 'the container program as on a VPS, which counts nothing for /metrics',
  kind: 'vps',
  placement: 'measured',
  works: ['cached'],
  start: async (): Promise<RunningSystem> => {
    await bundleContainer(BUNDLE, 'scripts/bench/floors/uncounted-bridge.ts');
    const simulator = await SimulatorProcess.start();
    const key = newBenchKey();
    const checkpoint = 'memory:';
    const { child, url } = await startContainerProcess(simulator, {
      keys: key.setting,
      poolMax,
      checkpoint,
      program: BUNDLE,
    });
    return {
      url,
      headers: key.headers,
      simulator,
      pids: [child.pid],
      stop: async () => {
        await child.stop();
        await simulator.stop();
      },
    };
  },
});
