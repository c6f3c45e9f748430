import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { endWithUs } from './end-with-parent.ts';

/** A program beside the engine (the simulator), started with the one that starts it and ended with it. */
export class ChildProgram {
  readonly #name: string;
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;

  /** `onLine` gets what it writes, on either stream. */
  constructor(
    name: string,
    command: readonly string[],
    onLine: (line: string) => void,
    env: NodeJS.ProcessEnv = process.env,
  ) {
    this.#name = name;
    const [file = '', ...args] = command;
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    createInterface(child.stdout).on('line', onLine);
    createInterface(child.stderr).on('line', onLine);
    this.#process = child;
    if (child.pid !== undefined) child.once('exit', endWithUs([child.pid]));
    this.#exited = once(child, 'exit');
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Settles when it has ended. */
  get exited(): Promise<unknown> {
    return this.#exited;
  }

  /** Rejects when it ends before `ready` settles. */
  async until<T>(ready: Promise<T>): Promise<T> {
    const ended = this.#exited.then(() => {
      throw new Error(`the ${this.#name} ended with exit code ${this.#process.exitCode}; its last lines say why`);
    });
    return Promise.race([ready, ended]);
  }

  async close(graceMs: number): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGTERM');
    const grace = new AbortController();
    await Promise.race([this.#exited, delay(graceMs, undefined, { signal: grace.signal }).catch(() => undefined)]);
    grace.abort();
    this.#process.kill('SIGKILL');
    await this.#exited;
  }
}
