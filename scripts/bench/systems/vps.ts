import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bundleEnvironment } from '../../local/bridge-program.ts';
import { Child, type Placement } from '../measure/child.ts';
import { newBenchKey } from './bench-key.ts';
import { SimulatorProcess } from './simulator-process.ts';
import type { RunningSystem, System } from './system.ts';

/** The container program as one file, as the image has it; made by `bundleContainer` at the start of a run. */
export const CONTAINER_BUNDLE = path.resolve('dist/bench/container/main.cjs');

/** `POOL_MAX` as it comes. */
export const POOL = 4;

export interface ContainerProcess {
  readonly child: Child;
  readonly url: string;
  /** From the start of the process to the line that says it listens. */
  readonly listeningAfterMs: number;
}

/** The container program as on a VPS. `program` is its entry file, from sources or bundled. */
export async function startContainerProcess(
  simulator: SimulatorProcess,
  options: {
    /** Absent: `env` says who may call. */
    readonly keys?: string;
    /** Absent, as the next: as `env` says. */
    readonly poolMax?: number;
    readonly checkpoint?: string;
    /** `measured` if absent. */
    readonly placement?: Placement;
    readonly program?: string;
    readonly nodeArgs?: readonly string[];
    /** Further settings. */
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<ContainerProcess> {
  const child = new Child(options.program ?? CONTAINER_BUNDLE, {
    placement: options.placement ?? 'measured',
    ...(options.nodeArgs ? { nodeArgs: options.nodeArgs } : {}),
    env: {
      ...simulator.env,
      ...bundleEnvironment(CONTAINER_BUNDLE),
      PORT: '0',
      ...(options.poolMax === undefined ? {} : { POOL_MAX: String(options.poolMax) }),
      ...(options.keys === undefined ? {} : { BRIDGE_API_KEYS: options.keys }),
      ...(options.checkpoint === undefined ? {} : { CHECKPOINT: options.checkpoint }),
      MAX_CONNECTIONS: '2000',
      RATE_LIMIT_PER_SECOND: '1000000',
      RATE_LIMIT_BURST: '1000000',
      ...options.env,
    },
  });
  const line = await child.line(/"event":"listening".*"port":(\d+)/, 30_000);
  return {
    child,
    url: `http://127.0.0.1:${line[1]}`,
    listeningAfterMs: performance.now() - child.startedAtMs,
  };
}

/**
 * @param env further settings, of a system that one part alone measures
 * @param clients accounts at its broker
 */
export const vps = (
  name: string,
  poolMax: number,
  env?: Readonly<Record<string, string>>,
  clients?: number,
): System => ({
  name,
  title: [
    `the container program alone, as on a VPS, ${poolMax} upstream connection${poolMax > 1 ? 's' : ''} at most`,
    ...Object.entries(env ?? {}).map(([setting, value]) => `${setting}=${value}`),
  ].join(', '),
  kind: 'vps',
  placement: 'measured',
  works: env
    ? []
    : poolMax === 1
      ? ['typed', 'passthrough']
      : ['cached', 'typed', 'passthrough', 'batch', 'worst-body', 'order', 'stream'],
  start: async (): Promise<RunningSystem> => {
    const simulator = await SimulatorProcess.start(clients);
    const directory = await mkdtemp(path.join(tmpdir(), 'mt5-bench-'));
    const key = newBenchKey();
    const start = (): Promise<ContainerProcess> =>
      startContainerProcess(simulator, {
        keys: key.setting,
        poolMax,
        checkpoint: `file:${path.join(directory, 'state.sqlite')}`,
        ...(env ? { env } : {}),
      });
    let running = await start();
    return {
      get url() {
        return running.url;
      },
      headers: key.headers,
      simulator,
      get pids() {
        return [running.child.pid];
      },
      makeCold: async () => {
        await running.child.stop();
        running = await start();
      },
      stop: async () => {
        await running.child.stop();
        await simulator.stop();
        await rm(directory, { recursive: true, force: true });
      },
    };
  },
});
