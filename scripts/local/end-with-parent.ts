import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/**
 * Ends these processes when this one dies without a word (kill -9, out of memory): a shell waits at the other end of a
 * pipe that dies with us. Does nothing where there is no shell.
 *
 * @returns to be called when they have ended by themselves: their numbers may soon be those of others
 */
export function endWithUs(pids: readonly number[]): () => void {
  if (pids.length === 0) return () => undefined;
  const guard = spawn('/bin/sh', ['-c', `cat > /dev/null; kill -9 ${pids.join(' ')} 2> /dev/null`], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  guard.on('error', () => undefined);
  guard.unref();
  // A guard that outlived those it watches over would hold the process: the pipe alone keeps nothing alive.
  (guard.stdin as { unref?: () => void }).unref?.();
  return () => {
    try {
      // Detached, it leads a group of its own: the shell and what it runs.
      if (guard.pid !== undefined) process.kill(-guard.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  };
}

/** Children of this process whose program has that name. */
export function childrenNamed(name: string): number[] {
  if (process.platform !== 'linux') {
    try {
      return execFileSync('pgrep', ['-P', String(process.pid), name], { encoding: 'utf8' })
        .split('\n')
        .flatMap(toPid);
    } catch {
      return [];
    }
  }
  return readdirSync('/proc')
    .flatMap(toPid)
    .filter((pid) => isChild(pid, name));
}

const toPid = (text: string): number[] => (/^\d+$/.test(text) ? [Number(text)] : []);

function isChild(pid: number, name: string): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return status.startsWith(`Name:\t${name}\n`) && status.includes(`\nPPid:\t${process.pid}\n`);
  } catch {
    return false;
  }
}
