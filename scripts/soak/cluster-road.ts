import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bundledBridgeProgram } from '../local/bridge-program.ts';
import type { Broker } from './broker.ts';
import { KeptProgram } from './kept-program.ts';
import { type Fault, freeze, newSoakKeys, type Road, signal } from './road.ts';
import { bridgeVariables, LISTENING, locked } from './vps-road.ts';
import { freePort } from '../../test/support/free-port.ts';

/** Two replicas on one volume, and Debian's Redis; each is started again whenever it ends. */
export async function clusterRoad(broker: Broker, onLine: (source: string, line: string) => void): Promise<Road> {
  const keys = await newSoakKeys();
  const folder = await mkdtemp(path.join(tmpdir(), 'mt5-edge-soak-'));
  const file = path.join(folder, 'state.sqlite');
  const redisPort = await freePort();
  const redis = await keepRedis(redisPort);
  const { command, env } = await bundledBridgeProgram();
  const ports = [await freePort(), await freePort()] as const;
  const keep = async (port: number): Promise<KeptProgram> => {
    const program = new KeptProgram({
      name: `replica ${port}`,
      command,
      onLine: (line) => onLine(`replica ${port}`, line),
      readyLine: LISTENING,
      env: {
        ...env,
        ...bridgeVariables(broker, keys),
        PORT: String(port),
        CHECKPOINT: `file:${file}`,
        CLUSTER: `redis://127.0.0.1:${redisPort}`,
      },
    });
    await program.ready;
    return program;
  };
  const [one, two] = await Promise.all([keep(ports[0]), keep(ports[1])]);
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const [first = '', second = ''] = urls;
  /** As the replicas say; the first where none does. */
  const holder = async (): Promise<KeptProgram> => {
    const headers = { authorization: `Bearer ${keys.admin}` };
    const answer = await fetch(`${second}/v1/status`, { headers, signal: AbortSignal.timeout(2_000) }).catch(
      () => null,
    );
    const status = (await answer?.json().catch(() => null)) as { cluster?: { holder?: { url: string } } } | null;
    return status?.cluster?.holder?.url === second ? two : one;
  };
  const follower = async (): Promise<KeptProgram> => ((await holder()) === one ? two : one);
  const faults: Record<string, Fault> = {
    'kill holder': { weight: 4, inject: async () => signal((await holder()).pid, 'SIGKILL') },
    'SIGTERM holder': { weight: 2, inject: async () => signal((await holder()).pid, 'SIGTERM') },
    // Half of the callers wait at a replica that does not answer; a proxy would ask the other one.
    'freeze holder': {
      weight: 3,
      inject: async (durationMs) => freeze((await holder()).pid, durationMs),
      stopsEverybody: true,
    },
    'kill follower': { weight: 2, inject: async () => signal((await follower()).pid, 'SIGKILL') },
    'kill Redis': { weight: 3, inject: async () => signal(redis.pid, 'SIGKILL') },
    'freeze Redis': { weight: 2, inject: (durationMs) => freeze(redis.pid, durationMs) },
    'Redis and the holder': {
      weight: 1,
      inject: async (durationMs) => {
        const { pid } = await holder();
        const frozen = freeze(redis.pid, durationMs);
        await delay(durationMs / 2);
        signal(pid, 'SIGKILL');
        await frozen;
      },
      // Nobody can say who may begin.
      stopsEverybody: true,
    },
    'locked file': { weight: 2, inject: (durationMs) => locked(file, durationMs) },
  };
  return {
    name: 'cluster',
    urls: [first, second],
    keys,
    faults,
    skipped: [],
    starts: () => one.starts + two.starts,
    processes: () => ({ 'replica 1': one.pid, 'replica 2': two.pid }),
    close: async () => {
      await Promise.all([one.close(10_000), two.close(10_000)]);
      await redis.close(1_000);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function keepRedis(port: number): Promise<KeptProgram> {
  const redis = new KeptProgram({
    name: 'redis',
    command: ['redis-server', '--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    onLine: () => undefined,
    readyLine: 'Ready to accept connections',
    env: process.env,
  });
  await redis.ready;
  return redis;
}
