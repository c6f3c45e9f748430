import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { ControlChannel } from '../../../container/host/control-channel.ts';
import type { Logger } from '../../../container/contract/logger.ts';

/** The program's end of the control channel, its sockets real and its clock the test's. */
const ALONE_MS = 15 * 60_000;
const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const closing: (() => unknown)[] = [];
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => {
  for (const close of closing.splice(0)) close();
  vi.useRealTimers();
});

async function newProgram(doorKey: string | undefined) {
  const drains: string[] = [];
  let detached = Promise.withResolvers<void>();
  const channel = new ControlChannel({
    instanceId: 'one',
    config: { broker: 'main', login: '1000', doorKey },
    state: { detach: () => detached.resolve() } as never,
    log: quiet,
    session: () => ({ state: 'ready', epoch: 1 }) as never,
    breaker: () => ({ state: 'closed' }) as never,
    listeningAfterMs: () => 0,
    events: { emit: (event: string, what?: unknown) => event === 'drain' && drains.push(String(what)) },
  });
  const server = createServer().on('upgrade', (request, socket, head) => channel.accept(request, socket, head));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  closing.push(
    () => channel.close(),
    () => server.close(),
  );
  return {
    drains,
    /** The Worker opens the channel … @returns what closes it, once the program knows */
    open: async (): Promise<() => Promise<void>> => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}`);
      await once(socket, 'message');
      return async () => {
        detached = Promise.withResolvers();
        socket.terminate();
        await detached.promise;
      };
    },
  };
}

it('a VPS gives the session up when its Worker has not spoken to it for 15 minutes', async () => {
  const { open, drains } = await newProgram('a-key-that-both-know-of-32-or-more');
  await (
    await open()
  )();
  vi.advanceTimersByTime(ALONE_MS - 1);
  // A Durable Object that rested is back in time: it finds the session as it left it.
  const close = await open();
  vi.advanceTimersByTime(ALONE_MS);
  expect(drains).toEqual([]);
  await close();
  vi.advanceTimersByTime(ALONE_MS);
  expect(drains).toEqual(['Its Worker has not spoken to it for long.']);
});

it('a container does not: the platform ends it', async () => {
  const { open, drains } = await newProgram(undefined);
  await (
    await open()
  )();
  vi.advanceTimersByTime(ALONE_MS);
  expect(drains).toEqual([]);
});
