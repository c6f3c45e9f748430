import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
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
