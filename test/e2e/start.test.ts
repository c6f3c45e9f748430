import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';

/** `npm start` as a newcomer runs it, seen from outside. Its temporary files go to a directory of the test. */
let temporary: string;
const started: ChildProcess[] = [];

beforeEach(async () => {
  temporary = await mkdtemp(path.join(tmpdir(), 'mt5-edge-start-test-'));
});
afterEach(async () => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  await rm(temporary, { recursive: true, force: true });
});

function start(
  command: readonly string[],
  env: Record<string, string> = {},
): { child: ChildProcess; errors: string[] } {
  const [file = '', ...args] = command;
  const child = spawn(file, args, {
    env: {
      ...process.env,
      NODE_DISABLE_COMPILE_CACHE: '1',
      TMPDIR: temporary,
      PORT: '0',
      SIM_PORT: '0',
      SIM_CONTROL_PORT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  const errors: string[] = [];
  createInterface(child.stderr).on('line', (line) => errors.push(line));
  return { child, errors };
}

/** Processes that inherited this test's directory: everything that was started, however deep. */
async function marked(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      return environment.includes(`TMPDIR=${temporary}`)
        ? [await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')]
        : [];
    }),
  );
  return found.flat().filter((commandLine) => commandLine !== '');
}

interface Ready {
  readonly url: string;
  readonly key: string;
  readonly control: string;
  /** The command to copy. */
  readonly curl: string;
}

async function readyLine(child: ChildProcess): Promise<Ready> {
  if (!child.stdout) throw new Error('no standard output');
  let ready: Omit<Ready, 'curl'> | undefined;
  for await (const line of createInterface(child.stdout)) {
    if (ready && line.startsWith('curl ')) return { ...ready, curl: line };
    const match = /^ready (?<url>http:\/\/127\.0\.0\.1:\d+) key=(?<key>\S+) control=(?<control>http:\S+)$/.exec(line);
    if (match?.groups) ready = match.groups as unknown as Ready;
  }
  throw new Error('no ready line');
}

it('npm start answers from the simulator through the whole road, and Ctrl-C leaves nothing', async () => {
  const { child, errors } = start(['npm', 'start']);
  const { url, control, curl } = await readyLine(child);
  await expect.poll(() => errors.join('\n')).toContain(`${url}/docs`);
  const { stdout } = await promisify(execFile)('sh', ['-c', curl]);
  expect(JSON.parse(stdout)).toMatchObject({ login: 1001, name: expect.any(String) as string });
  expect(await (await fetch(`${control}/stats`)).json()).toMatchObject({ handshakes: 1 });
  // A calm start: its steps and where to look; no line of a log, no warning.
  for (const line of errors)
    expect(line).toMatch(/^ {2}(?:(?:simulator|program|worker) +[\d.]+ s {3}|page |docs |cron |LOG_LEVEL)/);
  const commands = await marked();
  expect(commands.filter((command) => command.includes('container/main'))).toHaveLength(1);
  child.kill('SIGINT');
  await once(child, 'exit');
  await expect.poll(marked).toEqual([]);
  expect(await readdir(temporary)).toEqual([]);
});

it('SIGTERM ends it with exit code 0', async () => {
  const { child } = start([process.execPath, 'scripts/start.ts']);
  await readyLine(child);
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code).toBe(0);
  expect(await marked()).toEqual([]);
});

it('killed without a word, it leaves nothing running', async () => {
  const { child } = start([process.execPath, 'scripts/start.ts']);
  const { url, key } = await readyLine(child);
  await fetch(`${url}/v1/accounts/1001`, { headers: { authorization: `Bearer ${key}` } });
  child.kill('SIGKILL');
  await expect.poll(marked).toEqual([]);
});

it('says which port is taken and how to move it', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  const { child, errors } = start([process.execPath, 'scripts/start.ts'], { PORT: String(port) });
  const [code] = (await once(child, 'exit')) as [number | null];
  taken.close();
  expect(code).toBe(1);
  expect(errors.join('\n')).toContain(`port ${port} is taken; set PORT to another one`);
});

it('asks for the credentials that a given server needs', async () => {
  const { child, errors } = start([process.execPath, 'scripts/start.ts'], {
    MT5_SERVER: 'broker.invalid:443',
    MT5_LOGIN: '1000',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code).toBe(1);
  expect(errors.join('\n')).toContain('MT5_SERVER is set, and with it MT5_PASSWORD must be');
});
