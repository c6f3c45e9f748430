import { build } from 'esbuild';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startSimulator, type Simulator } from '../simulator/server.ts';
import { type BridgeUnderTest, startBridge } from '../support/bridge.ts';

/** `npm run client:pack`, installed in an empty project: what a user of the package sees. */

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
let project: string;
let simulator: Simulator;
let bridge: BridgeUnderTest;

beforeAll(async () => {
  project = await mkdtemp(path.join(tmpdir(), 'client-package-'));
  const packed = run('npm', ['run', 'client:pack', '--', '--out', path.join(project, 'packed')], { cwd: root });
  simulator = await startSimulator();
  bridge = await startBridge({ simulator });
  await writeFile(path.join(project, 'package.json'), '{"name":"app","private":true,"type":"module"}');
  await writeFile(path.join(project, 'app.ts'), APP);
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

it('holds under tsc --strict, libraries checked', async () => {
  const tsc = path.join(root, 'node_modules/@typescript/native/bin/tsc');
  const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2022', '--ignoreConfig', 'app.ts'];
  const { stdout } = await run(process.execPath, [tsc, ...options], { cwd: project }).catch(
    (failure: { stdout: string }) => failure,
  );
  expect(stdout).toBe('');
});
