import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startContainer, type RunningContainer } from '../../container/compose.ts';
import { loadConfig } from '../../container/host/config.ts';
import type { ControlMessage, Hello } from '../../container/contract/control.ts';
import { HEADER, INTERNAL_PATH } from '../../container/contract/headers.ts';
import { BRIDGE_VERSION, CONTRACT_VERSION } from '../../container/contract/version.ts';
import { SqliteFile } from '../../container/host/sqlite-file.ts';
import { BridgeState } from '../../container/state/bridge-state.ts';
import { StateServer } from '../../container/state/state-server.ts';
import { startSimulator, type Simulator } from '../simulator/server.ts';
import { simulatorVariables } from '../support/simulator-variables.ts';

/** The container as the Durable Object runs it: start secret, caller in a header, state over the control channel. */
const SECRET = 'start-secret-of-this-container-start';
const CALLER = JSON.stringify({ id: 'desk', scopes: ['read'] });

let simulator: Simulator;
let container: RunningContainer;
let file: SqliteFile;
let state: BridgeState;
let drainAsked: string[];

beforeEach(async () => {
  simulator = await startSimulator();
  file = SqliteFile.open('memory:');
  state = new BridgeState(file);
  drainAsked = [];
  const config = loadConfig({
    ...simulatorVariables(simulator),
    BRIDGE_START_SECRET: SECRET,
    // One session: a pool grows where answers are slow.
    POOL_MAX: '1',
    PORT: '0',
  });
  container = await startContainer(config, {
    host: '127.0.0.1',
    writeLog: () => undefined,
    onDrainAsked: (reason) => drainAsked.push(reason),
  });
});
afterEach(async () => {
  await container.close();
  await simulator.close();
  file.close();
});

/** What the Durable Object does with a channel. */
class Holder {
  readonly socket: WebSocket;
  readonly received: ControlMessage[] = [];

  constructor(secret = SECRET) {
    const server = new StateServer(state);
    this.socket = new WebSocket(`ws://127.0.0.1:${container.port}${INTERNAL_PATH.control}`, {
      headers: { [HEADER.startSecret]: secret },
    });
    this.socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as ControlMessage;
      this.received.push(message);
      if (message.type === 'call') void server.serve(message).then((answer) => this.send(answer));
    });
  }

  send(message: ControlMessage): void {
    this.socket.send(JSON.stringify(message));
  }

  async hello(): Promise<Hello> {
    await expect.poll(() => this.received.some(({ type }) => type === 'hello')).toBe(true);
    return this.received.find((message) => message.type === 'hello') as Hello;
  }

  async handOver(accepted = true): Promise<void> {
    const checkpoint = JSON.stringify(await state.signIn.read());
    const versions = { contractVersion: CONTRACT_VERSION, bridgeVersion: BRIDGE_VERSION };
    this.send({ type: 'handover', ...versions, accepted, checkpoint });
  }
}

const read = (headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${container.port}/api/user/get?login=1001`, {
    headers: { [HEADER.startSecret]: SECRET, [HEADER.caller]: CALLER, ...headers },
  });

test('nobody but the door is served, and nothing signs in before the hand-over', async () => {
  expect((await read({ [HEADER.startSecret]: 'another-secret-of-the-same-length-xx' })).status).toBe(401);
  const stranger = new WebSocket(`ws://127.0.0.1:${container.port}${INTERNAL_PATH.control}`);
  const [error] = (await once(stranger, 'error')) as [Error];
  expect(error.message).toContain('401');
  expect(simulator.stats().connections).toBe(0);
});

test('after the hand-over the container signs in with a permit of the state, and tells its session', async () => {
  const holder = new Holder();
  const waiting = read();
  const hello = await holder.hello();
  expect(hello).toMatchObject({ contractVersion: CONTRACT_VERSION, epoch: null });
  await holder.handOver();
  const answer = await waiting;
  expect(answer.status).toBe(200);
  expect(answer.headers.get('x-session-epoch')).toBe('1');
  expect(await state.signIn.read()).toMatchObject({ epoch: 1, instanceId: hello.instanceId, failures: 0 });
  expect(simulator.stats().handshakes).toBe(1);
  const activity = holder.received.filter((message) => message.type === 'activity');
  expect(activity.at(-1)).toMatchObject({ session: { state: 'ready', epoch: 1 }, streams: 0 });
});

test('a channel that is opened again finds the same instance, still signed in', async () => {
  const first = new Holder();
  const hello = await first.hello();
  await first.handOver();
  expect((await read()).status).toBe(200);
  first.socket.terminate();
  const second = new Holder();
  expect(await second.hello()).toMatchObject({ instanceId: hello.instanceId, epoch: 1 });
  await second.handOver();
  expect((await read()).status).toBe(200);
  expect(simulator.stats().handshakes).toBe(1);
});

test('the deadline of the door releases the caller', async () => {
  const holder = new Holder();
  await holder.hello();
  await holder.handOver();
  expect((await read()).status).toBe(200);
  simulator.fault({ kind: 'slow', ms: 500 });
  const late = await read({ [HEADER.deadline]: String(Date.now() + 100) });
  expect(late.status).toBe(504);
  expect(await late.json()).toMatchObject({ code: 'deadline_exceeded' });
  expect((await read()).status).toBe(200);
  expect(simulator.stats().handshakes).toBe(1);
});

test('a bulk close goes on behind its 202, whoever still waits', async () => {
  const holder = new Holder();
  await holder.hello();
  await holder.handOver();
  const { users } = simulator.books() as { users: { positions: { position: number; symbol: string }[] }[] };
  const forex = users.flatMap(({ positions }) => positions.filter(({ symbol }) => symbol === 'EURUSD'));
  // More than go side by side, so that some are begun only after the answer.
  const tickets = forex.slice(0, 10).map(({ position }) => String(position));
  simulator.broker.dealer.set({ delayMs: 4_000 });
  const answer = await fetch(`http://127.0.0.1:${container.port}/v1/positions/close`, {
    method: 'POST',
    headers: {
      [HEADER.startSecret]: SECRET,
      [HEADER.caller]: JSON.stringify({ id: 'desk', scopes: ['read', 'trade'] }),
      [HEADER.deadline]: String(Date.now() + 1_500),
      [HEADER.idempotencyKey]: 'flatten',
      'content-type': 'application/json',
      connection: 'close',
    },
    body: JSON.stringify({ group: '*', symbol: 'EURUSD', tickets }),
  });
  simulator.broker.dealer.set({ delayMs: 0 });
  expect(answer.status).toBe(202);
  expect(await state.operations.parts('desk', 'flatten')).toHaveLength(8);
  await expect.poll(async () => (await state.operations.get('desk', 'flatten'))?.state).toBe('done');
  const { body = '' } = (await state.operations.get('desk', 'flatten'))?.answer ?? {};
  expect(JSON.parse(body)).toMatchObject({ counts: { matched: 10, done: 10, unknown: 0 } });
});

test('warm signs in again after a loss; drain and a refused hand-over ask the process to end', async () => {
  const holder = new Holder();
  await holder.hello();
  await holder.handOver();
  const session = (): string => container.upstream.status.state;
  await expect.poll(session).toBe('ready');
  // What the bridge still asks for by itself signs in again: lost until nobody asks.
  await expect
    .poll(() => {
      if (session() === 'ready') simulator.dropConnections();
      return session();
    })
    .toBe('closed');
  const { handshakes } = simulator.stats();
  holder.send({ type: 'warm' });
  await expect.poll(session).toBe('ready');
  expect(simulator.stats().handshakes).toBe(handshakes + 1);
  holder.send({ type: 'drain', reason: 'rollout' });
  await holder.handOver(false);
  await expect.poll(() => drainAsked).toEqual(['rollout', 'Another instance holds the session.']);
});

test.each([
  ['no JSON', '{"op":'],
  ['another operation', '{"op":"stop","topic":"ticks","selectors":[]}'],
  ['an unknown topic', '{"op":"want","topic":"weather","selectors":["EURUSD"]}'],
  ['no list', '{"op":"want","topic":"ticks","selectors":"EURUSD"}'],
  ['a binary message', Buffer.from('{"op":"want","topic":"ticks","selectors":[]}')],
])('a hub that sends %s is cut off, and nobody else', async (_, message) => {
  const holder = new Holder();
  await holder.hello();
  await holder.handOver();
  const hub = new WebSocket(`ws://127.0.0.1:${container.port}${INTERNAL_PATH.stream}`, {
    headers: { [HEADER.startSecret]: SECRET },
  });
  await once(hub, 'open');
  hub.send(message);
  const [code] = (await once(hub, 'close')) as [number];
  expect(code).toBe(1008);
  expect((await read()).status).toBe(200);
});

test('what is no control message is passed over', async () => {
  const holder = new Holder();
  await holder.hello();
  for (const text of ['{', '{"type":"ended","ended":5}', '{"type":"result"}', 'null']) holder.socket.send(text);
  await holder.handOver();
  expect((await read()).status).toBe(200);
});
