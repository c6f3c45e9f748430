import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { API_KEY_PREFIX, hashKey, type Scope } from '../../container/contract/keys.ts';

/** What a soak drives: the whole product on one of its roads, and everything that can be done to it. */
export interface Road {
  readonly name: 'edge' | 'vps' | 'cluster' | 'fallback';
  /** Each answers everything. */
  readonly urls: readonly [string, ...string[]];
  readonly keys: SoakKeys;
  /** Faults that this road knows, by name; those that this machine cannot do are named in `skipped`. */
  readonly faults: Readonly<Record<string, Fault>>;
  readonly skipped: readonly string[];
  /** How often the program was started. */
  starts(): number;
  /** Processes whose memory and handles are watched, by name. */
  processes(): Readonly<Record<string, number>>;
  close(): Promise<void>;
}

export interface Fault {
  /** Relative to the others. */
  readonly weight: number;
  /** Does it, and undoes it `durationMs` later where it lasts. */
  inject(durationMs: number): Promise<void>;
  /** Nobody is answered while it lasts: the time does not count. */
  readonly stopsEverybody?: boolean;
}

export interface SoakKeys {
  readonly trade: string;
  readonly admin: string;
  readonly variable: string;
  /** Nothing of this may stand in any output. */
  readonly secrets: readonly string[];
}

export async function newSoakKeys(): Promise<SoakKeys> {
  const make = async (id: string, scopes: readonly Scope[]) => {
    const key = API_KEY_PREFIX + randomBytes(32).toString('base64url');
    return { key, record: { id, hash: await hashKey(key), scopes } };
  };
  const trade = await make('soak', ['trade', 'manage']);
  const admin = await make('soak-admin', ['admin']);
  return {
    trade: trade.key,
    admin: admin.key,
    variable: JSON.stringify([trade.record, admin.record]),
    secrets: [trade.key, admin.key],
  };
}

export interface ProcessUsage {
  readonly rssMb: number;
  readonly handles: number;
}

/** From /proc; `undefined` where the process is gone or there is no such thing. */
export function usageOf(pid: number): ProcessUsage | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const rssKb = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN);
    return { rssMb: Math.round(rssKb / 1024), handles: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return undefined;
  }
}

/** Stops a process where it is, and lets it go on. */
export async function freeze(pid: number, durationMs: number): Promise<void> {
  signal(pid, 'SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, durationMs));
  signal(pid, 'SIGCONT');
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    if (pid > 0) process.kill(pid, name);
  } catch {
    // It ended before.
  }
}
