import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';

const MAIN = path.resolve(import.meta.dirname, '../../container/main.ts');

export interface BridgeProcess {
  readonly child: ChildProcess;
  /** Every line of the log so far. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** All output as text. */
  output(): string;
  /** Resolves with the exit code once the process is gone. */
  readonly exited: Promise<number | null>;
  /** The port, as soon as it listens. */
  readonly listening: Promise<number>;
}

/** `container/main.ts`, or the bundle of it, as a process of its own; end it with a signal. */
export function spawnBridge(env: Readonly<Record<string, string>>, main = MAIN): BridgeProcess {
  const child = spawn(process.execPath, [main], { env: { PATH: process.env['PATH'], ...env }, stdio: 'pipe' });
  const log: Record<string, unknown>[] = [];
  let output = '';
  let rest = '';
  let listens: (port: number) => void = () => undefined;
  const listening = new Promise<number>((resolve) => (listens = resolve));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const entry = JSON.parse(line) as Record<string, unknown>;
      log.push(entry);
      if (entry['event'] === 'listening') listens(Number(entry['port']));
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, log, output: () => output, exited, listening };
}
