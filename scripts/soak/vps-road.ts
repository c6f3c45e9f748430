import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { bundledBridgeProgram } from '../local/bridge-program.ts';
import type { Broker } from './broker.ts';
import { KeptProgram } from './kept-program.ts';
import { type Fault, freeze, newSoakKeys, type Road, signal, type SoakKeys } from './road.ts';
import { freePort } from '../../test/support/free-port.ts';

const STATE_MB = 32;
/** A whole block of the file at a time, until there is no room. */
const FILL_BYTES = 1024 * 1024;

/** The container program alone, started again whenever it ends, on a small file system of its own where that can be had. */
export async function vpsRoad(broker: Broker, onLine: (source: string, line: string) => void): Promise<Road> {
  const keys = await newSoakKeys();
  const folder = await mkdtemp(path.join(tmpdir(), 'mt5-edge-soak-'));
  const isSmall = mounted(folder);
  const file = path.join(folder, 'state.sqlite');
  const port = await freePort();
  const { command, env } = await bundledBridgeProgram();
  const program = new KeptProgram({
    name: 'bridge',
    command,
    onLine: (line) => onLine('container', line),
    readyLine: LISTENING,
    env: { ...env, ...bridgeVariables(broker, keys), PORT: String(port), CHECKPOINT: `file:${file}` },
  });
  await program.ready;
  const faults: Record<string, Fault> = {
    'kill bridge': { weight: 3, inject: async () => signal(program.pid, 'SIGKILL') },
    'SIGTERM bridge': { weight: 2, inject: async () => signal(program.pid, 'SIGTERM') },
    'freeze bridge': { weight: 2, inject: (durationMs) => freeze(program.pid, durationMs), stopsEverybody: true },
    'locked file': { weight: 3, inject: (durationMs) => locked(file, durationMs) },
    ...(isSmall ? { 'full disk': { weight: 3, inject: (durationMs: number) => filled(folder, durationMs) } } : {}),
  };
  return {
    name: 'vps',
    urls: [`http://127.0.0.1:${port}`],
    keys,
    faults,
    skipped: isSmall ? [] : ['full disk: this machine lets nobody mount a small file system'],
    starts: () => program.starts,
    processes: () => ({ bridge: program.pid }),
    close: async () => {
      await program.close(10_000);
      if (isSmall) execFileSync('umount', [folder]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const LISTENING = '"event":"listening"';

/** What any program of a bridge is told, wherever its state is. */
export const bridgeVariables = (broker: Broker, keys: SoakKeys): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  HOST: '127.0.0.1',
  BRIDGE_API_KEYS: keys.variable,
  MT5_SERVER: broker.server,
  MT5_LOGIN: '1000',
  MT5_PASSWORD: broker.password,
  MT5_TLS: `pin:${broker.certificateSha256}`,
  RATE_LIMIT_PER_SECOND: '100000',
  RATE_LIMIT_BURST: '100000',
});

function mounted(folder: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${STATE_MB}m`, 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export async function locked(file: string, durationMs: number): Promise<void> {
  const other = new DatabaseSync(file);
  try {
    other.exec('PRAGMA busy_timeout = 2000');
    other.exec('BEGIN IMMEDIATE');
    await delay(durationMs);
    other.exec('ROLLBACK');
  } finally {
    other.close();
  }
}

async function filled(folder: string, durationMs: number): Promise<void> {
  const names = Array.from({ length: STATE_MB + 1 }, (_, i) => path.join(folder, `fill-${i}`));
  try {
    for (const name of names) writeFileSync(name, Buffer.alloc(FILL_BYTES, 1));
  } catch {
    // Full.
  }
  await delay(durationMs);
  for (const name of names) rmSync(name, { force: true });
}
