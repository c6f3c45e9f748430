import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { freePort } from './free-port.ts';

/** Whether this machine has one; where it has none, what needs it is skipped by name. */
export const hasRedis = ((): boolean => {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

export const NO_REDIS = 'redis-server is not installed: Debian’s package is enough';

/** A Redis server of its own on a free port, that keeps nothing on disk. */
export class RedisServer {
  readonly url: string;
  readonly #port: number;
  #process: ChildProcess | undefined;

  private constructor(port: number) {
    this.#port = port;
    this.url = `redis://127.0.0.1:${port}`;
  }

  static async start(): Promise<RedisServer> {
    // A port that was free a moment ago may be taken meanwhile.
    for (let tries = 0; tries < 5; tries++) {
      const server = new RedisServer(await freePort());
      if (await server.begin()) return server;
    }
    throw new Error('redis-server found no free port');
  }

  /** Again, with an empty memory. @returns false where it ended at once */
  async begin(): Promise<boolean> {
    const flags = ['--port', String(this.#port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const child = spawn('redis-server', flags, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#process = child;
    const ready = Promise.withResolvers<boolean>();
    createInterface(child.stdout).on('line', (line) => {
      if (line.includes('Ready to accept connections')) ready.resolve(true);
    });
    child.once('exit', () => ready.resolve(false));
    return ready.promise;
  }

  async end(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}
