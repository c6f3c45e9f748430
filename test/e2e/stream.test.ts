import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStream } from '../../container/client/streams.ts';
import type { Frame } from '../../container/contract/frames.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { StreamClient } from '../support/stream-client.ts';
import { openAsBrowser } from '../support/browser-like.ts';
import { type Edge, startEdge } from './support/edge.ts';

let simulator: Simulator;
let edge: Edge;

beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 50 });
  edge = await startEdge({ simulator });
});
afterAll(async () => {
  await edge?.close();
  await simulator?.close();
});

const CLIENTS = 100;
const SYMBOLS = ['EURUSD', 'GBPUSD', 'USDJPY'];
const LONG = { timeout: 30_000, interval: 100 };

interface Tick {
  readonly symbol: string;
  readonly bid: string;
  readonly quotedAtMs: number;
}

const ticksOf = (frames: readonly Frame[]): Tick[] =>
  frames
    .filter(({ type, topic }) => topic === 'ticks' && (type === 'delta' || type === 'snapshot'))
    .flatMap(({ data }) => data as Tick[]);

/** Buys; returns the tickets of the deals. */
async function trade(): Promise<string[]> {
  const answer = await edge.fetch('/v1/orders', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'idempotency-key': crypto.randomUUID(),
      authorization: `Bearer ${edge.keys.trade}`,
    },
    body: JSON.stringify({ login: 1001, symbol: 'EURUSD', side: 'buy', type: 'market', volume: '0.10' }),
  });
  const { deals } = (await answer.json()) as { deals: { ticket: string }[] };
  return deals.map(({ ticket }) => ticket);
}

const dealsOf = (client: StreamClient): string[] =>
  client.of('delta', 'deals').flatMap(({ data }) => (data as { ticket: string }[]).map(({ ticket }) => ticket));

it('keeps 100 clients connected while the container is killed under them, and tells them what happened', async () => {
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, () => StreamClient.open(`${edge.url}/v1/stream`, { key: edge.keys.read })),
  );
  for (const client of clients) {
    client.send({ op: 'subscribe', id: 1, topic: 'ticks', symbols: SYMBOLS });
    client.send({ op: 'subscribe', id: 2, topic: 'deals', logins: [1001, 1002] });
  }
  await expect.poll(() => clients.every((client) => client.of('delta', 'ticks').length > 2), LONG).toBe(true);
  await expect.poll(() => clients.every((client) => client.of('snapshot', 'deals').length > 0), LONG).toBe(true);
  const before = await trade();
  await expect.poll(() => clients.every((client) => dealsOf(client).includes(before[0] ?? '')), LONG).toBe(true);
  const epoch = clients[0]?.frames.at(-1)?.epoch ?? 0;

  edge.engine.kill('SIGKILL');
  const replaced = (client: StreamClient): boolean =>
    client.of('system').some(({ data }) => (data as { event: string }).event === 'session_replaced');
  await expect.poll(() => clients.every(replaced), LONG).toBe(true);
  const after = (client: StreamClient): Frame[] =>
    client.frames.filter((frame) => frame.epoch === epoch + 1 && frame.topic === 'ticks' && frame.type === 'delta');
  await expect.poll(() => clients.every((client) => after(client).length > 2), LONG).toBe(true);

  expect(clients.map((client) => client.closed).filter(Boolean)).toEqual([]);
  for (const client of clients) {
    client.expectUnbroken('ticks');
    client.expectUnbroken('deals');
    expect(client.of('gap', 'ticks')).toHaveLength(1);
  }
  await expect.poll(() => clients.every((client) => client.of('snapshot', 'deals').length > 1), LONG).toBe(true);
  const told = async (): Promise<unknown[]> => {
    const { body } = await edge.json('/v1/audit?type=stream.gap', { headers: { 'x-api-key': edge.keys.admin } });
    return (body['items'] as { event: { data: unknown } }[]).map(({ event }) => event.data);
  };
  const gap = { topic: 'ticks', reason: expect.any(String), subscriptions: expect.any(Number) };
  await expect.poll(told, LONG).toContainEqual(gap);
  const since = await trade();
  await expect.poll(() => clients.every((client) => dealsOf(client).length >= 2), LONG).toBe(true);
  for (const client of clients) expect(dealsOf(client)).toEqual([...before, ...since]);
  // The last value of every symbol is the feed's.
  simulator.fault({ kind: 'freeze-feed', ms: 20_000 });
  const truth = (await (await edge.fetch(`/v1/quotes?symbols=${SYMBOLS.join(',')}`)).json()) as { items: Tick[] };
  for (const { symbol, bid, quotedAtMs } of truth.items) {
    const last = (client: StreamClient): Tick | undefined =>
      ticksOf(client.frames).findLast((tick) => tick.symbol === symbol);
    await expect.poll(() => clients.every((client) => last(client)?.quotedAtMs === quotedAtMs), LONG).toBe(true);
    expect(new Set(clients.map((client) => last(client)?.bid))).toEqual(new Set([bid]));
  }
  for (const client of clients) client.close();
});

it('serves the typed client through the hub: the key as first message, events until it stops', async () => {
  const abort = new AbortController();
  const options = { baseUrl: edge.url, key: edge.keys.read, signal: abort.signal };
  const types: string[] = [];
  for await (const event of openStream('positions', { logins: [1001] }, options)) {
    types.push(event.type);
    if (event.type === 'snapshot') expect(event.data.every(({ login }) => login === 1001)).toBe(true);
    if (types.length === 1) await trade();
    if (event.type === 'delta' && event.data.some((row) => row.event === 'opened')) abort.abort();
  }
  expect(types[0]).toBe('snapshot');
  expect(types).toContain('delta');
});

it('opens for a browser, which offers its key as a subprotocol', async () => {
  expect(await openAsBrowser(edge.url, ['mt5-edge-bridge', `bearer.${edge.keys.read}`])).toBe('mt5-edge-bridge');
});

it('a client that closes is answered at once, with its own code, and a system snapshot tells how the session stands', async () => {
  await edge.scheduled();
  const client = await StreamClient.open(`${edge.url}/v1/stream`, { key: edge.keys.read });
  client.send({ op: 'subscribe', topic: 'system' });
  expect((await client.first('snapshot', 'system')).data).toMatchObject([{ session: 'ready' }]);
  client.socket.close(4321, 'done');
  await expect.poll(() => client.closed).toEqual({ code: 4321, reason: 'done' });
  const plain = await StreamClient.open(`${edge.url}/v1/stream`, { key: edge.keys.read });
  plain.socket.close();
  await expect.poll(() => plain.closed?.code).toBe(1005);
});
