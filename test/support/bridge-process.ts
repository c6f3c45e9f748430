import { spawn, type ChildProcess } from 'node:child_process';
import { bundledBridgeProgram } from '../../scripts/local/bridge-program.ts';

type ProgramSpec = Awaited<ReturnType<typeof bundledBridgeProgram>>;

let program: Promise<ProgramSpec> | undefined;

/** The container program as the image has it, made once for all files that share a process. */
export const bridgeProgram = (): Promise<ProgramSpec> => (program ??= bundledBridgeProgram());

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

/** The container program as a process of its own, or another bundle of it; end it with a signal. */
export async function spawnBridge(env: Readonly<Record<string, string>>, main?: string): Promise<BridgeProcess> {
  const spec: Pick<ProgramSpec, 'command' | 'env'> =
    main === undefined ? await bridgeProgram() : { command: [process.execPath, main] };
  const [file = '', ...args] = spec.command;
  const child = spawn(file, args, {
    env: { PATH: process.env['PATH'], ...spec.env, HOST: '127.0.0.1', ...env },
    stdio: 'pipe',
  });
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
