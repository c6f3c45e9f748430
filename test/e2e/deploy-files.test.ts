import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeCertificate } from '../simulator/certificate.ts';
import { startSimulator } from '../simulator/server.ts';
import { keyRecord } from '../support/bridge.ts';
import { spawnBridge } from '../support/bridge-process.ts';
import { caddyfile, writeNginxFiles } from './support/proxy.ts';

/** Each file of `scripts/deploy` as the program that takes it reads it. */

const ROOT = path.resolve(import.meta.dirname, '../..');
const DEPLOY = path.join(ROOT, 'scripts/deploy');
const UNIT = readFileSync(path.join(DEPLOY, 'systemd/mt5-edge-bridge.service'), 'utf8');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'deploy-files-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (command: string, ...args: string[]): { readonly status: number | null; readonly said: string } => {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, HOME: folder },
  });
  return { status, said: `${stdout}${stderr}` };
};
/** A test that needs a program of Debian's. */
const needs = (command: string, argument: string, debian: string, what: string, body: () => unknown): void => {
  const isThere = spawnSync(command, [argument]).status === 0;
  it.skipIf(!isThere)(isThere ? what : `${what} (SKIPPED: apt-get install ${debian})`, async () => void (await body()));
};

needs('nginx', '-v', 'nginx-light', 'nginx takes its template, filled in', async () => {
  const { key, cert } = await makeCertificate();
  writeFileSync(path.join(folder, 'fullchain.pem'), cert);
  writeFileSync(path.join(folder, 'privkey.pem'), key);
  const values = { BRIDGE_SERVERS: 'server 127.0.0.1:1; server 127.0.0.1:2;', HTTP_PORT: '80', HTTPS_PORT: '443' };
  const { status, said } = run('nginx', '-t', '-p', folder, '-c', writeNginxFiles(folder, values));
  expect([said, status]).toEqual([expect.stringContaining('test is successful'), 0]);
});

needs('caddy', 'version', 'caddy', 'Caddy takes its file', () => {
  const file = path.join(folder, 'Caddyfile');
  writeFileSync(file, caddyfile());
  const { status, said } = run('caddy', 'validate', '--adapter', 'caddyfile', '--config', file);
  expect([said, status]).toEqual([expect.stringContaining('Valid configuration'), 0]);
});

needs('systemd-analyze', '--version', 'systemd', 'systemd takes its unit', () => {
  const file = path.join(folder, 'mt5-edge-bridge.service');
  // What is started has to be there.
  writeFileSync(file, UNIT.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`));
  const { status, said } = run('systemd-analyze', 'verify', '--man=no', file);
  expect([said, status]).toEqual(['', 0]);
});

needs('promtool', '--version', 'prometheus', 'Prometheus takes the configuration of compose', () => {
  cpSync(path.join(DEPLOY, 'observability'), path.join(folder, 'observability'), { recursive: true });
  const file = path.join(folder, 'observability/compose.yml');
  writeFileSync(path.join(folder, 'key'), 'k');
  writeFileSync(file, readFileSync(file, 'utf8').replace('/run/secrets/prometheus_key', path.join(folder, 'key')));
  const { status, said } = run('promtool', 'check', 'config', file);
  expect([said, status]).toEqual([expect.stringContaining('SUCCESS'), 0]);
});

it('what the unit starts runs from its folder alone, with secrets as systemd hands them over', async () => {
  // The lines of the guide, below another folder.
  const opt = path.join(folder, 'opt');
  const bundled = run(process.execPath, path.join(ROOT, 'scripts/bundle.ts'), path.join(opt, 'container/main.cjs'));
  expect([bundled.said.trim(), bundled.status]).toEqual([path.join(opt, 'container/main.cjs'), 0]);
  cpSync(path.join(ROOT, 'dist/console'), path.join(opt, 'dist/console'), { recursive: true });
  const [credentials, state] = [path.join(folder, 'credentials'), path.join(folder, 'state/mt5-edge-bridge')];
  for (const made of [credentials, state]) mkdirSync(made, { recursive: true });
  const key = 'mt5k_of-the-unit';
  writeFileSync(path.join(credentials, 'mt5_password'), 'Password1\n');
  writeFileSync(path.join(credentials, 'bridge_api_keys'), JSON.stringify([await keyRecord('desk', key, ['read'])]));
  const settings = [...UNIT.matchAll(/^Environment=(.*)$/gm)]
    .flatMap(([, line = '']) => line.split(' '))
    .map((text) => text.replace('%d', credentials).replace('%S', path.join(folder, 'state')).split(/=(.*)/s, 2));
  const simulator = await startSimulator();
  const bridge = await spawnBridge(
    {
      ...(Object.fromEntries(settings) as Record<string, string>),
      MT5_SERVER: `${simulator.host}:${simulator.port}`,
      MT5_LOGIN: '1000',
      MT5_TLS: `pin:${simulator.certificateSha256}`,
      PORT: '0',
    },
    path.join(opt, 'container/main.cjs'),
  );
  try {
    const url = `http://127.0.0.1:${await bridge.listening}`;
    const read = await fetch(`${url}/v1/accounts/1001`, { headers: { 'x-api-key': key } });
    expect(read.status).toBe(200);
    expect(await (await fetch(`${url}/`)).text()).toContain('<html');
    expect(existsSync(path.join(state, 'bridge.sqlite'))).toBe(true);
    expect(bridge.output()).not.toContain('Password1');
    bridge.child.kill('SIGTERM');
    expect(await bridge.exited).toBe(0);
  } finally {
    bridge.child.kill('SIGKILL');
    await simulator.close();
  }
});
