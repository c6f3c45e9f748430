import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { expect, test } from 'vitest';

const program = path.resolve(import.meta.dirname, '../../simulator/main.ts');

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [program, ...args], { env: { ...process.env, ...env }, stdio: 'pipe' });
  const output = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.err += text));
  return { child, output, exited: once(child, 'close') };
}

test('it says where it listens, and a signal ends it with exit code 0', async () => {
  const { child, output, exited } = start(['--port', '0', '--seed', '7'], { CONTROL_PORT: '0' });
  await expect.poll(() => output.out).toMatch(/MT5_TLS=pin:[0-9a-f]{64}\n$/);
  const control = /http:\/\/[\d.:]+/.exec(output.out)?.[0];
  const stats: unknown = await fetch(`${control}/stats`).then((response) => response.json());
  expect(stats).toMatchObject({ connections: 0, handshakes: 0 });
  child.kill('SIGINT');
  expect(await exited).toEqual([0, null]);
  expect(output.err).toBe('');
});

test('bad flags and variables are all named, with exit code 1', async () => {
  const { output, exited } = start(['--port', 'x', '--ticks-per-second=-1'], { SEED: '1.5', TRADING_HOURS: 'no' });
  expect(await exited).toEqual([1, null]);
  for (const name of [
    '--port (PORT)',
    '--ticks-per-second (TICKS_PER_SECOND)',
    '--seed (SEED)',
    '--trading-hours (TRADING_HOURS)',
  ]) {
    expect(output.err).toContain(name);
  }
  const unknown = start(['--prot', '1']);
  expect(await unknown.exited).toEqual([1, null]);
  expect(unknown.output.err).toContain("'--prot'");
});

test('--help tells the flags', async () => {
  const { output, exited } = start(['--help']);
  expect(await exited).toEqual([0, null]);
  expect(output.out).toContain('--ticks-per-second');
  expect(output.err).toBe('');
});

test('a port that is taken is said in one line, with exit code 1', async () => {
  const first = start(['--port', '0', '--control-port', '0']);
  await expect.poll(() => first.output.out).toMatch(/pin:[0-9a-f]{64}\n$/);
  const port = /https:\/\/127\.0\.0\.1:(\d+)/.exec(first.output.out)?.[1] ?? '';
  const second = start(['--port', port, '--control-port', '0']);
  expect(await second.exited).toEqual([1, null]);
  expect(second.output.err).toBe(`simulator: listen EADDRINUSE: address already in use 127.0.0.1:${port}\n`);
  first.child.kill('SIGTERM');
  expect(await first.exited).toEqual([0, null]);
});
