import { setTimeout as delay } from 'node:timers/promises';
import { ChildProgram } from '../local/child-program.ts';

/** As systemd waits (RestartSec). */
const RESTART_AFTER_MS = 500;

export interface KeptProgramOptions {
  readonly name: string;
  readonly command: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly onLine: (line: string) => void;
  /** A part of the line that it writes once it is ready. */
  readonly readyLine: string;
}

/** A program that is started again whenever it ends. */
export class KeptProgram {
  readonly #options: KeptProgramOptions;
  readonly #ready = Promise.withResolvers<void>();
  #program: ChildProgram;
  #isClosing = false;
  starts = 0;

  constructor(options: KeptProgramOptions) {
    this.#options = options;
    this.#program = this.#start();
  }

  get pid(): number {
    return this.#program.pid;
  }

  /** The first start has come so far. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    await this.#program.close(graceMs);
  }

  #start(): ChildProgram {
    const { name, command, env, onLine, readyLine } = this.#options;
    this.starts += 1;
    const program = new ChildProgram(
      name,
      command,
      (line) => {
        onLine(line);
        if (line.includes(readyLine)) this.#ready.resolve();
      },
      env,
    );
    void this.#again(program);
    return program;
  }

  async #again(ended: ChildProgram): Promise<void> {
    await ended.exited;
    await delay(RESTART_AFTER_MS);
    if (!this.#isClosing) this.#program = this.#start();
  }
}
