import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { experimental_readRawConfig } from 'wrangler';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { type Edge, startEdge } from './support/edge.ts';

/** The commands around a deploy: what is wrong before it, what works after it, and what to tune, in plain words. */
let folder: string;
let simulator: Simulator;
let edge: Edge;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mt5-edge-deploy-'));
  simulator = await startSimulator();
  edge = await startEdge({ simulator });
});
afterAll(async () => {
  await edge?.close();
  await simulator?.close();
  await rm(folder, { recursive: true });
});

const run = (script: string, ...args: string[]): Promise<{ code: number; text: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [`scripts/${script}`, ...args], (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, text: stdout + stderr }),
    );
  });

it('deploy names every missing secret and every value that is wrong, and changes nothing', async () => {
  const file = path.join(folder, 'secrets.env');
  await writeFile(file, 'MT5_SERVER=broker.example:443\nMT5_PASSWORD=planted-Secret1\nBRIDGE_API_KEYS=planted-none\n');
  const { code, text } = await run('deploy.ts', '--dry-run', '--secrets-file', file);
  expect(code).toBe(1);
  expect(text).toContain('nothing was changed');
  expect(text).toContain('MT5_LOGIN: the secret is missing');
  expect(text).toContain('BRIDGE_API_KEYS: expected a JSON list');
  expect(text).not.toContain('MT5_SERVER');
  expect(text).not.toContain('planted');
});

/** Checks a Worker without containers, and goes through the motions of deploying it. */
async function deployWithoutContainers(vars: object): Promise<{ code: number; text: string }> {
  const { rawConfig } = experimental_readRawConfig({ config: 'wrangler.jsonc' });
  const [file, secrets] = [path.join(folder, 'wrangler.json'), path.join(folder, 'vps.json')];
  const config = {
    ...rawConfig,
    containers: [],
    main: path.resolve('worker/index.ts'),
    assets: { directory: path.resolve('dist/console') },
    secrets: { required: ['BRIDGE_API_KEYS', 'VPS_KEY'] },
    vars: { ...rawConfig.vars, ...vars },
  };
  const keys = JSON.stringify([{ id: 'one', hash: `sha256:${'0'.repeat(64)}`, scopes: ['read'] }]);
  await writeFile(file, JSON.stringify(config));
  await writeFile(secrets, JSON.stringify({ BRIDGE_API_KEYS: keys, VPS_KEY: 'k'.repeat(32) }));
  return run('deploy.ts', '--dry-run', '--config', file, '--secrets-file', secrets);
}

it('a Worker before a VPS is deployed without containers and without their secrets', async () => {
  const { code, text } = await deployWithoutContainers({ ORIGIN: 'vps', VPS_ORIGIN: 'https://vps.example' });
  expect([code, text]).toEqual([0, expect.stringContaining('$ wrangler deploy') as string]);
  expect(text).not.toContain('docker');
});

it('another Worker is not', async () => {
  const { code, text } = await deployWithoutContainers({});
  expect([code, text]).toEqual([1, expect.stringContaining('containers: are missing') as string]);
});

it('smoke says what works', async () => {
  const { code, text } = await run('smoke.ts', edge.url, '--key', edge.keys.read);
  expect([code, text]).toEqual([0, expect.stringContaining('Everything that was looked at works.') as string]);
  expect(text).toContain('session ready');
  expect(text).not.toContain(edge.keys.read);
});

it('smoke says what does not, and why', async () => {
  const wrong = await run('smoke.ts', edge.url, '--key', 'mt5k_wrong');
  expect([wrong.code, wrong.text]).toEqual([1, expect.stringContaining('FAILED  The key opens it: 401') as string]);
  const nobody = await run('smoke.ts', 'http://127.0.0.1:9', '--key', 'mt5k_wrong');
  expect([nobody.code, nobody.text]).toEqual([1, expect.stringContaining('nothing answers at') as string]);
});

it('tune advises a bridge that runs, by its own journal and calendar, and starts nothing', async () => {
  const { code, text } = await run('tune/main.ts', '--url', edge.url, '--key', edge.keys.admin);
  expect([code, text]).toEqual([0, expect.stringContaining('"triggers": { "crons": [') as string]);
  expect(text).toContain('## main');
  expect(text).not.toContain(edge.keys.admin);
  const refused = await run('tune/main.ts', '--url', edge.url, '--key', edge.keys.read);
  expect([refused.code, refused.text]).toEqual([1, expect.stringContaining('answered 403') as string]);
});
