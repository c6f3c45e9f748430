import { once } from 'node:events';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { CONTAINER_HOST, ProcessContainer } from '../../scripts/local/process-container.ts';
import { type LocalEdge, startLocalEdge } from '../../scripts/local/local-edge.ts';

/** The process engine under the real `Container` class, with a program that knows nothing of the bridge. */
let edge: LocalEdge;
const lines: string[] = [];

beforeAll(async () => {
  edge = await startLocalEdge({
    port: 0,
    main: 'test/worker/plain-worker.ts',
    // Longer than a start takes on a busy machine: the library ends one that it calls idle.
    vars: { SLEEP_AFTER: '4s' },
    program: {
      command: [process.execPath, path.join(import.meta.dirname, 'support/echo-program.ts')],
      cwd: import.meta.dirname,
      containerPort: 8080,
      env: { HOST: '0.0.0.0' },
    },
    onLine: (line) => lines.push(line),
  });
});
afterAll(() => edge.close());

it('starts one process for a storm of cold requests and passes its environment', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, i) => (await fetch(`${edge.url}/storm/${i}`)).json()),
  );
  expect(answers).toEqual(Array.from({ length: 20 }, (_, i) => ({ url: `/storm/${i}`, greeting: 'hello' })));
  expect(edge.engine.processes).toHaveLength(1);
  expect(lines).toContain('listening');
});

it('carries WebSocket text, binary and close codes', async () => {
  const socket = new WebSocket(`${edge.url.replace('http', 'ws')}/socket`);
  await once(socket, 'open');
  socket.send('text');
  expect(String((await once(socket, 'message'))[0])).toBe('text');
  socket.send(Buffer.from([1, 2, 3]));
  expect((await once(socket, 'message'))[0]).toEqual(Buffer.from([1, 2, 3]));
  socket.close(4001, 'done');
  expect((await once(socket, 'close'))[0]).toBe(4001);
});

it('reports exit codes and starts again after a crash', async () => {
  await fetch(`${edge.url}/crash`).then((answer) => answer.text());
  await expect.poll(() => edge.engine.processes.at(-1)?.exitCode).toBe(42);
  expect((await fetch(`${edge.url}/again`)).status).toBe(200);
  edge.engine.kill('SIGKILL');
  await expect.poll(() => edge.engine.processes.at(-1)?.exitCode).toBe(137);
});

it('sleeps by SIGTERM after inactivity and is woken by cron', async () => {
  const before = edge.engine.processes.length;
  await edge.scheduled();
  expect(edge.engine.processes).toHaveLength(before + 1);
  await expect.poll(() => edge.engine.running()).toHaveLength(0);
  expect(edge.engine.processes.at(-1)?.exitCode).toBe(0);
  expect(edge.engine.unhandled).toEqual([]);
});

it('shows what a container hides: a port on 127.0.0.1 alone, and a signal that process 1 has no handler for', async () => {
  const heard: string[] = [];
  const script =
    "require('http').createServer((_, r) => r.end()).listen(process.env.PORT, '127.0.0.1', () => console.log('up'))";
  const container = new ProcessContainer(
    'id',
    'name',
    { Image: 'none' },
    {
      program: { command: [process.execPath, '-e', script], cwd: import.meta.dirname, containerPort: 8080 },
      restartOnFailure: false,
      onLine: (line) => heard.push(line),
      onStart: () => undefined,
      onExit: () => undefined,
    },
  );
  await container.start();
  await expect.poll(() => heard).toEqual(['up']);
  if (process.platform === 'linux') {
    await expect(fetch(`http://${CONTAINER_HOST}:${container.hostPort(8080)}`)).rejects.toThrow('fetch failed');
    container.signal('SIGTERM');
    expect(container.status).toBe('running');
    expect((await fetch(`http://127.0.0.1:${container.hostPort(8080)}`)).status).toBe(200);
  }
  await container.remove();
  expect(container.exitCode).toBe(137);
});
