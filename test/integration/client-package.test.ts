import { build } from 'esbuild';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator, type Simulator } from '../simulator/server.ts';
import { type BridgeUnderTest, startBridge } from '../support/bridge.ts';
import { mismatches, programs } from '../support/guide-examples.ts';

/** `npm run client:pack`, installed in an empty project: what a user of the package sees. */

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
const guides = programs('ts');
const applications = ['back-office.ts', 'trader-terminal.ts', 'risk-monitor.ts'] as const;
let project: string;
let simulator: Simulator;
let bridge: BridgeUnderTest;

beforeAll(async () => {
  project = await mkdtemp(path.join(tmpdir(), 'client-package-'));
  const packed = run('npm', ['run', 'client:pack', '--', '--out', path.join(project, 'packed')], { cwd: root });
  simulator = await startSimulator();
  bridge = await startBridge({ simulator, env: { AUDIT_DIR: path.join(project, 'audit') } });
  await writeFile(path.join(project, 'package.json'), '{"name":"app","private":true,"type":"module"}');
  await writeFile(path.join(project, 'app.ts'), APP);
  for (const { guide, text } of guides) await writeFile(path.join(project, `${guide}.ts`), text);
  const examples = path.join(root, 'container/client/examples');
  for (const name of applications) await cp(path.join(examples, name), path.join(project, name));
  const tarball = (await packed).stdout.trimEnd().split('\n').at(-1) ?? '';
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: project });
  await build({ ...BUILD, outfile: path.join(project, 'app.js'), packages: 'external', format: 'esm' });
}, 120_000);
afterAll(async () => {
  await bridge?.close();
  await simulator?.close();
  await rm(project, { recursive: true, force: true });
});

/** Reads, writes once, waits for the outcome, and follows two topics; as it is written by users. */
const APP = `
import { createBridgeClient, type Schemas, type StreamEvent } from 'mt5-edge-bridge/client';

export async function app(baseUrl: string, key: string, operation: string): Promise<Record<string, unknown>> {
  const client = createBridgeClient({ baseUrl, key });
  const { data } = await client.GET('/v1/accounts/{login}', { params: { path: { login: 1001 } } });
  const login: number = data.login;
  await client.POST('/v1/accounts/{login}/balance', {
    params: { path: { login: 1001 } },
    body: { kind: 'balance', amount: '1.00' },
    headers: { 'Idempotency-Key': operation },
  });
  const settled: Schemas['Operation'] = await client.waitForOperation(operation);
  const ticks = client.stream('ticks', { symbols: ['EURUSD'] });
  const deals = client.stream('deals', { logins: [1001] });
  const first: StreamEvent<'ticks'> | undefined = (await ticks.next()).value;
  const second = (await deals.next()).value;
  await ticks.return?.();
  await deals.return?.();
  // @ts-expect-error -- no such path
  const refused = await client.GET('/v1/nothing').catch((error: Error) => error.name);
  return { login, state: settled.state, types: [first?.type, second?.type], refused };
}
`;
const DONE = { login: 1001, state: 'done', types: ['snapshot', 'snapshot'], refused: 'BridgeRequestError' };

const BUILD = {
  get entryPoints() {
    return [path.join(project, 'app.ts')];
  },
  bundle: true,
  target: 'es2022',
  logLevel: 'silent',
} as const;

it('works in plain Node 20: without a WebSocket and without Promise.withResolvers', async () => {
  // As Node 20 is, whichever Node runs the tests.
  const program = `delete globalThis.WebSocket; delete Promise.withResolvers;
    const { app } = await import('./app.js');
    console.log(JSON.stringify(await app(...process.argv.slice(1))));`;
  const args = ['--input-type=module', '-e', program, '--', bridge.url, bridge.adminKey, 'package-node'];
  // A Node of the system's own, where there is one; npm puts the project's before it.
  const folders = (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .filter((folder) => !folder.includes('node_modules'));
  const env = { ...process.env, PATH: [...folders, path.dirname(process.execPath)].join(path.delimiter) };
  const { stdout } = await run('node', args, { cwd: project, env });
  expect(JSON.parse(stdout)).toEqual(DONE);
});

it('works in a Worker', async () => {
  const { outputFiles } = await build({
    ...BUILD,
    stdin: {
      contents: `import { app } from './app.ts';
        export default { fetch: async (request, env) => Response.json(await app(env.URL, env.KEY, 'package-worker')) };`,
      resolveDir: project,
    },
    entryPoints: [],
    conditions: ['workerd', 'worker', 'browser'],
    format: 'esm',
    write: false,
  });
  const worker = new Miniflare(
    convertV4MiniflareOptions({
      log: new Log(LogLevel.NONE),
      cf: false,
      workers: [
        {
          name: 'app',
          modules: [{ type: 'ESModule', path: 'worker.js', contents: outputFiles[0]?.text ?? '' }],
          compatibilityDate: '2026-01-01',
          bindings: { URL: bridge.url, KEY: bridge.adminKey },
        },
      ],
    }),
  );
  try {
    const answer = await worker.dispatchFetch('http://worker.test/');
    expect(await answer.json()).toEqual(DONE);
  } finally {
    await worker.dispose();
  }
});

it('works in a browser’s bundle, which needs nothing that only Node has', async () => {
  const outfile = path.join(project, 'page.js');
  await build({ ...BUILD, outfile, platform: 'browser', format: 'iife', globalName: 'page' });
  const names =
    'fetch Request Response Headers URL URLSearchParams FormData WebSocket AbortSignal AbortController crypto';
  const timers = 'setTimeout clearTimeout setInterval clearInterval queueMicrotask';
  const globals = `${names} ${timers}`.split(' ') as (keyof typeof globalThis)[];
  const page = createContext(Object.fromEntries(globals.map((name) => [name, globalThis[name] as unknown])));
  runInContext(`${await readFile(outfile, 'utf8')};globalThis.page = page;`, page);
  const { app } = page['page'] as { app: (...args: string[]) => Promise<unknown> };
  expect(await app(bridge.url, bridge.adminKey, 'package-browser')).toEqual(DONE);
});

it('holds under tsc --strict, libraries checked, and with it the examples of the guides and the applications', async () => {
  const tsc = path.join(root, 'node_modules/@typescript/native/bin/tsc');
  const node = ['--types', 'node', '--typeRoots', path.join(root, 'node_modules/@types')];
  const sources = (await readdir(project)).filter((name) => name.endsWith('.ts'));
  expect(sources).toHaveLength(1 + guides.length + applications.length);
  const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2022', '--ignoreConfig'];
  const { stdout } = await run(process.execPath, [tsc, ...options, ...node, ...sources], { cwd: project }).catch(
    (failure: { stdout: string }) => failure,
  );
  expect(stdout).toBe('');
});

const environment = (more: Record<string, string> = {}): NodeJS.ProcessEnv => ({
  ...process.env,
  URL: bridge.url,
  KEY: bridge.adminKey,
  CONTROL: `http://127.0.0.1:${simulator.controlPort}`,
  ...more,
});

describe('examples of the guides in TypeScript', () => {
  it.each(guides.map((program) => [program.guide, program] as const))('%s', async (guide, program) => {
    const { stdout } = await run('node', [`${guide}.ts`], { cwd: project, env: environment() });
    expect(mismatches(program, stdout)).toEqual([]);
  });
});

describe('the back office', () => {
  const backOffice = async (...words: string[]): Promise<string> =>
    (await run('node', ['back-office.ts', ...words], { cwd: project, env: environment() })).stdout.trim();

  it('finds an account by e-mail', async () => {
    expect(await backOffice('find', 'email', 'CLIENT1003@')).toMatch(/^1003\t.+\tclient1003@example\.com\t/);
  });

  it('opens an account, books a payment once, and closes it', async () => {
    const [login = ''] = (await backOffice('open', 'demo\\forex', 'Ann Example')).split('\t');
    const mutations = simulator.stats().mutations;
    expect(await backOffice('pay', login, '250.00', 'payment-1')).toMatch(/^done\t.*\t250\.00$/);
    expect(await backOffice('pay', login, '250.00', 'payment-1')).toMatch(/^done\t.*\t250\.00$/);
    expect(simulator.stats().mutations - mutations).toBe(1);
    expect(await backOffice('close', login)).toMatch(/^done\t/m);
    expect(await backOffice('find', 'name', 'ann exam')).toMatch(new RegExp(`^${login}\tAnn Example\t`));
  });

  it('waits for the fate of a payment whose answer was lost', async () => {
    simulator.fault({ kind: 'drop-after-execution', command: 'trade/balance' });
    expect(await backOffice('pay', '1011', '10.00', 'payment-2')).toMatch(/^done\t/);
  });

  it('writes a statement, its table and its page', async () => {
    const time = ['1001', '2025-01-01', '2026-01-01'];
    const lines = (await backOffice('statement', ...time)).split('\n');
    expect(lines.length).toBeGreaterThan(10);
    expect(lines.at(-1)).toMatch(/^balance \d+\.\d\d to \d+\.\d\d USD$/);
    expect(await backOffice('statement', ...time, 'csv')).toMatch(/^ticket,login,/);
    expect(await backOffice('statement', ...time, 'html')).toMatch(/^<!doctype html>/i);
  });

  it('says what was refused', async () => {
    await expect(backOffice('pay', '1001', '0', 'payment-3')).rejects.toMatchObject({
      stderr: expect.stringContaining('invalid_field: amount') as string,
    });
  });
});

/** A program that goes on, and its lines. */
function start(file: string, args: readonly string[], more: Record<string, string> = {}) {
  const child = spawn('node', [file, ...args], { cwd: project, env: environment(more), stdio: 'pipe' });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  let errors = '';
  child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
  return {
    say: (line: string) => void child.stdin.write(`${line}\n`),
    stop: () => void child.kill('SIGTERM'),
    /** Lines up to the first that fits. */
    until: async (pattern: RegExp): Promise<RegExpExecArray> => {
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error(`ended before ${String(pattern)}: ${errors}`);
        const found = pattern.exec(value);
        if (found) return found;
      }
    },
  };
}

it('the trader’s terminal signs in, follows prices and positions, trades, and signs out', async () => {
  const terminal = start('trader-terminal.ts', ['EURUSD'], { LOGIN: '1001', PASSWORD: 'Client1001!' });
  await terminal.until(/^signed in 1001 read trade$/);
  await terminal.until(/^price EURUSD \d\.\d+ \d\.\d+$/);
  terminal.say('buy EURUSD 0.10');
  const [, ticket = ''] = await terminal.until(/^position (\d+) opened buy 0\.10 EURUSD$/);
  terminal.say(`stop ${ticket} 1.05000`);
  await terminal.until(/^done executed/);
  terminal.say(`close ${ticket}`);
  await terminal.until(new RegExp(`^position ${ticket} closed`));
  terminal.say('buy EURUSD 0,10');
  await terminal.until(/^refused invalid_field: volume/);
  terminal.say('quit');
  await terminal.until(/^signed out$/);
});

it('the risk monitor tells who is in danger, and halts a symbol while too much of it is open', async () => {
  const args = ['*', '--margin-level', '100000', '--net-lots', '0.01', '--every-ms', '100'];
  const monitor = start('risk-monitor.ts', args);
  await monitor.until(/^account \d+ beyond \d+\.\d+$/);
  await monitor.until(/^symbol EURUSD halted -?[\d.]+$/);
  const order = { login: 1001, symbol: 'EURUSD', side: 'buy', volume: '0.10' };
  const refused = await bridge.fetch('/v1/orders', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'while-halted' },
    body: JSON.stringify(order),
  });
  expect(await refused.json()).toMatchObject({ code: 'trading_halted' });
  monitor.stop();
  await monitor.until(/^ended$/);
});
