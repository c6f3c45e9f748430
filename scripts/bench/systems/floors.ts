import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Child } from '../measure/child.ts';
import { SimulatorProcess } from './simulator-process.ts';
import type { RunningSystem, System } from './system.ts';
import { freePort } from '../../../test/support/free-port.ts';

const START_TIMEOUT_MS = 20_000;

async function startProgram(script: string, env: Record<string, string>): Promise<RunningSystem> {
  const child = new Child(script, { placement: 'measured', env });
  const [, port = ''] = await child.line(/^listening (\d+)/, START_TIMEOUT_MS);
  return {
    url: `http://127.0.0.1:${port}`,
    headers: {},
    simulator: undefined,
    pids: [child.pid],
    stop: () => child.stop(),
  };
}

export const bareHttp = (bodyBytes: number): System => ({
  name: 'node-http',
  title: 'floor: bare node:http writing a ready buffer',
  kind: 'floor',
  placement: 'measured',
  works: ['cached'],
  cachedPath: '/',
  start: () => startProgram('scripts/bench/floors/bare-http.ts', { BODY_BYTES: String(bodyBytes) }),
});

/** More are a floor of many callers at a broker far away only. */
const MOST_PINNED = 4;

export const pinnedProxy = (connections: number): System => ({
  name: `node-undici-${connections}`,
  title: `floor: node:http + undici over ${connections} signed-in connection${connections > 1 ? 's' : ''}, nothing else`,
  kind: 'floor',
  placement: 'measured',
  works: connections <= MOST_PINNED ? ['passthrough'] : [],
  start: async () => {
    const simulator = await SimulatorProcess.start();
    const running = await startProgram('scripts/bench/floors/pinned-proxy.ts', {
      MT5_SERVER: simulator.server,
      CONNECTIONS: String(connections),
    });
    return {
      ...running,
      simulator,
      stop: async () => {
        await running.stop();
        await simulator.stop();
      },
    };
  },
});

export const wsLoop: System = {
  name: 'ws-loop',
  title: 'floor: a plain ws server, one send per client and tick',
  kind: 'floor',
  placement: 'measured',
  works: ['stream', 'fan-out'],
  start: () => startProgram('scripts/bench/floors/ws-loop.ts', {}),
};

/** Ours, but without broker and program around it. */
export const fanOut: System = {
  name: 'fan-out',
  title: 'the container’s stream service and WebSocket server over a source that makes its own ticks',
  kind: 'floor',
  placement: 'measured',
  works: ['fan-out'],
  start: () => startProgram('scripts/bench/floors/fan-out.ts', {}),
};

/** Undefined where nginx is not installed. */
export const nginxVersion = (): string | undefined => {
  const { status, stderr } = spawnSync('nginx', ['-v'], { encoding: 'utf8' });
  return status === 0 ? (/nginx\/(\S+)/.exec(stderr)?.[1] ?? 'unknown') : undefined;
};

export function nginx(version: string, bodyBytes: number): System {
  return {
    name: 'nginx',
    title: `floor: nginx ${version}, return 200`,
    kind: 'floor',
    placement: 'measured',
    works: ['cached'],
    cachedPath: '/',
    start: async () => {
      const directory = await mkdtemp(path.join(tmpdir(), 'mt5-bench-nginx-'));
      const port = await freePort();
      const config = path.join(directory, 'nginx.conf');
      await writeFile(
        config,
        `daemon off; pid ${directory}/pid; error_log ${directory}/error.log; worker_processes 1; events {}
http { access_log off; keepalive_requests 100000000;
  server { listen 127.0.0.1:${port}; default_type application/json; location / { return 200 "${'x'.repeat(bodyBytes)}"; } } }`,
      );
      const child = new Child('scripts/bench/floors/run-nginx.ts', { placement: 'measured', args: [config] });
      await child.line(/^started/, START_TIMEOUT_MS);
      return {
        url: `http://127.0.0.1:${port}`,
        headers: {},
        simulator: undefined,
        pids: [child.pid],
        stop: async () => {
          await child.stop();
          await rm(directory, { recursive: true, force: true });
        },
      };
    },
  };
}
