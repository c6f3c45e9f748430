import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { endWithUs } from './end-with-parent.ts';
import type { ContainerSpec, ContainerStatus, EngineContainer } from './engine-container.ts';
import { freePort } from '../../test/support/free-port.ts';

/**
 * Where the container's ports are reached: not at 127.0.0.1, which in a container is its own. Linux answers at all of
 * 127.0.0.0/8; elsewhere there is only the one.
 */
export const CONTAINER_HOST = process.platform === 'linux' ? '127.0.0.2' : '127.0.0.1';

/** What runs in place of an image. */
export interface ProgramSpec {
  readonly command: readonly string[];
  readonly cwd: string;
  /** The port that the program would listen on in its container; it gets another, free one in `PORT`. */
  readonly containerPort: number;
  readonly env?: Readonly<Record<string, string>>;
}

export interface ProcessContainerOptions {
  readonly program: ProgramSpec;
  /** Docker's restart policy `on-failure`: a process that exits non-zero is started again. */
  readonly restartOnFailure: boolean;
  readonly onLine: (line: string, stream: 'stdout' | 'stderr') => void;
  readonly onStart: (pid: number) => void;
  readonly onExit: (exitCode: number) => void;
}

/** Docker waits 100 ms before the first restart and twice as long before each next one. */
const FIRST_RESTART_DELAY_MS = 100;
/** What a shell and Docker report for a command that cannot be run. */
const EXIT_CODE_NOT_FOUND = 127;

/** A container that is one local process. Survives nothing: the process is killed when the container is removed. */
export class ProcessContainer implements EngineContainer {
  readonly id: string;
  readonly name: string;
  readonly spec: ContainerSpec;
  readonly createdAt = new Date();
  readonly publishedPorts = {};
  readonly #options: ProcessContainerOptions;
  readonly #ended = Promise.withResolvers<number>();
  #status: ContainerStatus = 'created';
  #exitCode = 0;
  #process: ChildProcess | undefined;
  #hostPort = 0;
  #restarts = 0;
  /** Set by a signal from the API or by removal: such an exit is wanted and not restarted. */
  #stopWanted = false;

  constructor(id: string, name: string, spec: ContainerSpec, options: ProcessContainerOptions) {
    this.id = id;
    this.name = name;
    this.spec = spec;
    this.#options = options;
  }

  get status(): ContainerStatus {
    return this.#status;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get exitCode(): number {
    return this.#exitCode;
  }

  /** Loopback port behind a port of the container; undefined where nothing can listen. */
  hostPort(containerPort: number): number | undefined {
    return this.#status === 'running' && containerPort === this.#options.program.containerPort
      ? this.#hostPort
      : undefined;
  }

  async start(): Promise<void> {
    this.#hostPort = await freePort(CONTAINER_HOST);
    this.#status = 'running';
    this.#spawn();
  }

  signal(signal: NodeJS.Signals): void {
    this.#stopWanted = true;
    if (this.#process?.pid !== undefined && isHeard(signal, this.#process.pid)) this.#process.kill(signal);
  }

  stopped(): Promise<number> {
    return this.#status === 'running' ? this.#ended.promise : Promise.resolve(this.#exitCode);
  }

  async remove(): Promise<void> {
    this.signal('SIGKILL');
    await this.stopped();
  }

  #spawn(): void {
    const { program } = this.#options;
    const [file = '', ...args] = this.spec.Cmd?.length ? this.spec.Cmd : program.command;
    const child = spawn(file, args, {
      cwd: program.cwd,
      env: asProcess1({
        ...inherited(),
        ...program.env,
        ...parseEnv(this.spec.Env ?? []),
        PORT: String(this.#hostPort),
      }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    createInterface(child.stdout).on('line', (line) => this.#options.onLine(line, 'stdout'));
    createInterface(child.stderr).on('line', (line) => this.#options.onLine(line, 'stderr'));
    child.once('spawn', () => {
      if (child.pid !== undefined) child.once('exit', endWithUs([child.pid]));
      this.#options.onStart(child.pid ?? 0);
    });
    child.once('error', (error) => {
      this.#options.onLine(`cannot start ${file}: ${error.message}`, 'stderr');
      void this.#exited(EXIT_CODE_NOT_FOUND);
    });
    child.once('exit', (code, signal) => void this.#exited(exitCodeOf(code, signal)));
  }

  async #exited(exitCode: number): Promise<void> {
    this.#process = undefined;
    this.#options.onExit(exitCode);
    if (this.#options.restartOnFailure && exitCode !== 0 && !this.#stopWanted) {
      await delay(FIRST_RESTART_DELAY_MS * 2 ** this.#restarts++);
      if (!this.#stopWanted) return this.#spawn();
    }
    this.#exitCode = exitCode;
    this.#status = 'exited';
    this.#ended.resolve(exitCode);
  }
}

/**
 * The program is process 1 of its container: the kernel drops signals that it has no handler for, SIGKILL and SIGSTOP
 * excepted (pid_namespaces(7)). Node always has handlers of its own, and ends by them anywhere but as process 1: see
 * `as-process-1.cjs`. Elsewhere than on Linux every signal is heard.
 */
function isHeard(signal: NodeJS.Signals, pid: number): boolean {
  if (signal === 'SIGKILL' || signal === 'SIGSTOP') return true;
  try {
    const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return caught === undefined || (BigInt(`0x${caught}`) & (1n << BigInt(constants.signals[signal] - 1))) !== 0n;
  } catch {
    return true;
  }
}

/** 128 + signal number for a signalled process, as Docker reports it. */
function exitCodeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return signal === null ? (code ?? 0) : 128 + constants.signals[signal];
}

const AS_PROCESS_1 = path.join(import.meta.dirname, 'as-process-1.cjs');

/** "All addresses" are those of the container, and not those of the machine that it runs on. */
const asProcess1 = (env: Record<string, string>): Record<string, string> => ({
  ...env,
  ...(env['HOST'] === '0.0.0.0' ? { HOST: CONTAINER_HOST } : {}),
  NODE_OPTIONS: `${env['NODE_OPTIONS'] ?? ''} --require ${JSON.stringify(AS_PROCESS_1)}`.trim(),
});

/** An image brings its own PATH and nothing of the host's environment. */
function inherited(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'NODE_EXTRA_CA_CERTS'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

function parseEnv(list: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    list.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
}
