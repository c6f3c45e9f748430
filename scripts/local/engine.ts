/**
 * The process engine: the part of the Docker Engine API that workerd calls (`container-client.c++`), answered with
 * local processes. With it `ctx.container` and the real `Container` class run without Docker: HTTP, WebSocket, exit
 * codes, signals, sleep and restart are real, and what listens on 127.0.0.1 alone is not reached, as in a network of its
 * own; outbound interception, exec, limits and file isolation are not there.
 *
 * Knows nothing of MetaTrader or of the bridge: it runs whatever program it is given.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { dockerApi } from './docker-api.ts';
import type { ContainerSpec, EngineContainer } from './engine-container.ts';
import { IngressSidecar, type Refusal } from './ingress-sidecar.ts';
import { ProcessContainer, type ProgramSpec } from './process-container.ts';

export type { ProgramSpec } from './process-container.ts';

export interface EngineOptions {
  /** What runs in place of the image; asked at each container's creation. */
  readonly program: ProgramSpec | ((image: string) => ProgramSpec);
  readonly restartOnFailure?: boolean;
  /** How the sidecar refuses a connection while nothing listens; as in production by default. */
  readonly refusal?: Refusal;
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
}

/** One process that ran or runs. */
export interface ProcessRecord {
  readonly pid: number;
  readonly startedAtMs: number;
  exitedAtMs: number | undefined;
  exitCode: number | undefined;
}

export interface Engine {
  readonly socketPath: string;
  /** Every process ever started, in order. */
  readonly processes: readonly ProcessRecord[];
  /** Processes that run now. */
  running(): readonly ProcessRecord[];
  /** Signals every running process directly, as the kernel or an operator would: not through the API. */
  kill(signal: NodeJS.Signals): void;
  /** API calls that were not understood. */
  readonly unhandled: readonly string[];
  close(): Promise<void>;
}

export async function startEngine(options: EngineOptions): Promise<Engine> {
  const directory = await mkdtemp(path.join(tmpdir(), 'mt5-edge-engine-'));
  const socketPath = path.join(directory, 'engine.sock');
  const containers = new Map<string, EngineContainer>();
  const processes: ProcessRecord[] = [];
  const unhandled: string[] = [];

  const create = (name: string, spec: ContainerSpec): EngineContainer => {
    const id = randomBytes(32).toString('hex');
    if (name.endsWith('-proxy')) {
      const served = name.slice(0, -'-proxy'.length);
      const resolvePort = (port: number): number | undefined => {
        const container = containers.get(served);
        return container instanceof ProcessContainer ? container.hostPort(port) : undefined;
      };
      return new IngressSidecar(id, name, spec, resolvePort, options.refusal ?? 'production');
    }
    let record: ProcessRecord | undefined;
    return new ProcessContainer(id, name, spec, {
      program: typeof options.program === 'function' ? options.program(spec.Image) : options.program,
      restartOnFailure: options.restartOnFailure ?? false,
      onLine: options.onLine ?? (() => undefined),
      onStart: (pid) => {
        record = { pid, startedAtMs: Date.now(), exitedAtMs: undefined, exitCode: undefined };
        processes.push(record);
      },
      onExit: (exitCode) => {
        if (record) Object.assign(record, { exitedAtMs: Date.now(), exitCode });
      },
    });
  };

  const server = dockerApi({ containers, create, onUnhandled: (call) => unhandled.push(call) });
  server.listen(socketPath);
  await once(server, 'listening');

  const running = (): ProcessRecord[] => processes.filter((record) => record.exitedAtMs === undefined);
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await Promise.all([...containers.values()].map((container) => container.remove()));
    containers.clear();
    await rm(directory, { recursive: true, force: true });
  };
  return {
    socketPath,
    processes,
    unhandled,
    running,
    kill: (signal) => {
      for (const { pid } of running()) process.kill(pid, signal);
    },
    close: () => (closing ??= close()),
  };
}
