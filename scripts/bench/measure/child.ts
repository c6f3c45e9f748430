import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/**
 * With two or more processors, what is measured runs on the first and what measures (load, simulator) on the second, so
 * that neither takes from the other. The edge is several processes and gets all.
 */
export type Placement = 'measured' | 'measuring' | 'anywhere';

const canPin = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0;
export const pinning = canPin;

export interface ChildOptions {
  readonly placement: Placement;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly nodeArgs?: readonly string[];
  readonly cwd?: string;
  /** Messages over IPC instead of lines. */
  readonly ipc?: boolean;
}

/** A Node program as a process of its own; its environment is only what is given and the path. */
export class Child {
  readonly process: ChildProcess;
  readonly startedAtMs = performance.now();
  #errors = '';
  readonly #exited: Promise<void>;

  constructor(script: string, options: ChildOptions) {
    const node = [process.execPath, '--disable-warning=ExperimentalWarning', ...(options.nodeArgs ?? []), script];
    const command = [...node, ...(options.args ?? [])];
    const processor =
      options.placement === 'anywhere' || !canPin ? undefined : options.placement === 'measured' ? 0 : 1;
    const [file = '', ...args] = processor === undefined ? command : ['taskset', '-c', String(processor), ...command];
    this.process = spawn(file, args, {
      cwd: options.cwd ?? process.cwd(),
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', NODE_ENV: 'production', ...options.env },
      stdio: ['ignore', 'pipe', 'pipe', ...(options.ipc ? (['ipc'] as const) : [])],
    });
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-4_000);
    });
    this.#exited = new Promise((resolve) => {
      this.process.once('exit', () => resolve());
      this.process.once('error', () => resolve());
    });
    // Output nobody reads would fill the pipe and stop the program.
    this.process.stdout?.setEncoding('utf8').resume();
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  get exited(): Promise<void> {
    return this.#exited;
  }

  /** The first line of output that matches. @throws Error with the program's own words when it ends or is too slow */
  line(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      let rest = '';
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.process.stdout?.off('data', onText);
        act();
      };
      const fail = (why: string): void =>
        settle(() => reject(new Error(`${this.describe()} ${why}\n${rest}${this.#errors}`)));
      const onText = (text: string): void => {
        rest += text;
        const lines = rest.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const match = pattern.exec(line);
          if (match) return settle(() => resolve(match));
        }
      };
      const timer = setTimeout(() => fail(`said nothing like ${String(pattern)} in ${timeoutMs} ms`), timeoutMs);
      this.process.stdout?.on('data', onText);
      void this.#exited.then(() => fail(`ended (${this.process.exitCode ?? this.process.signalCode})`));
    });
  }

  /** Sends a message and gives the next one that comes back. */
  ask<Answer>(message: object, timeoutMs: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => finish(new Error(`${this.describe()} did not answer in ${timeoutMs} ms`)),
        timeoutMs,
      );
      const finish = (error: Error | undefined, answer?: unknown): void => {
        clearTimeout(timer);
        this.process.off('message', onMessage);
        if (error) return reject(error);
        const failure = (answer as { failure?: string }).failure;
        if (failure !== undefined) return reject(new Error(`${this.describe()}: ${failure}`));
        resolve(answer as Answer);
      };
      const onMessage = (answer: unknown): void => finish(undefined, answer);
      this.process.once('message', onMessage);
      void this.#exited.then(() => finish(new Error(`${this.describe()} ended\n${this.#errors}`)));
      this.process.send(message);
    });
  }

  describe(): string {
    return this.process.spawnargs.filter((part) => part.endsWith('.ts') || part.endsWith('.js')).join(' ');
  }

  /** SIGTERM, and SIGKILL for what does not go. */
  async stop(graceMs = 5_000): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), graceMs);
    await this.#exited;
    clearTimeout(timer);
  }
}
