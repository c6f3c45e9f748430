import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** What a process and its descendants have used, by the part of the road they are. Linux only: it reads /proc. */
export interface Usage {
  readonly cpuMs: number;
  /** Sum of the peaks since `resetPeaks`, which need not have been at one moment. */
  readonly peakRssBytes: number;
  readonly rssBytes: number;
}

export type Part = 'container' | 'workerd' | 'host';
export type UsageByPart = Readonly<Partial<Record<Part, Usage>>>;

export const canMeasureProcesses = existsSync('/proc/self/schedstat');

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};

function descendants(pid: number): number[] {
  const found = [pid];
  for (const parent of found) {
    for (const task of tasks(parent))
      found.push(...read(`/proc/${parent}/task/${task}/children`).split(' ').filter(Boolean).map(Number));
  }
  return found;
}

function tasks(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** Nanoseconds on a processor, summed over the threads that live. */
const cpuNs = (pid: number): number =>
  tasks(pid).reduce((sum, task) => sum + Number(read(`/proc/${pid}/task/${task}/schedstat`).split(' ', 1)[0] || 0), 0);

function memory(pid: number): { rssBytes: number; peakRssBytes: number } {
  const status = read(`/proc/${pid}/status`);
  const bytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
  return { rssBytes: bytes('VmRSS'), peakRssBytes: bytes('VmHWM') };
}

/** `empty-program` is what runs as the container of the floor. */
function partOf(pid: number): Part {
  const command = read(`/proc/${pid}/cmdline`);
  if (/container\/main|container-main|empty-program/.test(command)) return 'container';
  return /workerd/.test(command) ? 'workerd' : 'host';
}

/** Lets the kernel forget the peaks, so that each row has its own. */
export function resetPeaks(roots: readonly number[]): void {
  for (const pid of roots.flatMap(descendants)) {
    try {
      writeFileSync(`/proc/${pid}/clear_refs`, '5');
    } catch {
      // Gone, or not allowed: then the peak is that of its whole life, which is only ever too high.
    }
  }
}

export function usageOf(...roots: readonly number[]): UsageByPart {
  const usage: Partial<Record<Part, Usage>> = {};
  if (!canMeasureProcesses) return usage;
  for (const pid of roots.flatMap(descendants)) {
    const part = partOf(pid);
    const { cpuMs = 0, rssBytes = 0, peakRssBytes = 0 } = usage[part] ?? {};
    const own = memory(pid);
    usage[part] = {
      cpuMs: cpuMs + cpuNs(pid) / 1e6,
      rssBytes: rssBytes + own.rssBytes,
      peakRssBytes: peakRssBytes + own.peakRssBytes,
    };
  }
  return usage;
}
