import { afterEach, beforeEach, expect, test } from 'vitest';
import { createBridgeClient } from '../../../container/client/index.ts';
import { BridgeStreamError, openStream, type StreamEvent } from '../../../container/client/streams.ts';
import { startStreamServer, type RunningStreamServer } from '../../../scripts/bench/floors/stream-server.ts';
import { SyntheticSource } from '../../../scripts/bench/floors/synthetic-source.ts';

let source: SyntheticSource;
let server: RunningStreamServer;
let abort: AbortController;

beforeEach(async () => {
  source = new SyntheticSource();
  server = await startStreamServer(source);
  abort = new AbortController();
});
afterEach(() => {
  abort.abort();
  server.close();
});

const options = () => ({
  baseUrl: `http://127.0.0.1:${server.port}`,
  key: 'any',
  signal: abort.signal,
  random: () => 0.01,
});

const deal = (at: number): void =>
  source.publish('deals', [{ key: '1001', id: String(at), json: `{"ticket":"${at}"}` }]);
const tickets = (event: StreamEvent<'deals'>): string[] =>
  event.type === 'delta' ? event.data.map(({ ticket }) => ticket) : [];

test('a stream goes on over a restart of the connection without missing or repeating anything', async () => {
  const seen: string[] = [];
  const types: string[] = [];
  let published = 0;
  for await (const event of openStream('deals', { logins: [1001] }, options())) {
    types.push(event.type);
    seen.push(...tickets(event));
    if (event.type === 'snapshot') deal(++published);
    if (seen.length === 1 && published === 1) {
      for (const connection of server.service.core.connections) connection.close('restart');
      deal(++published);
      deal(++published);
    }
    if (seen.length === 3) break;
  }
  expect(seen).toEqual(['1', '2', '3']);
  expect(types).not.toContain('gap');
});

test('what cannot be resumed is a gap, then a snapshot', async () => {
  const types: string[] = [];
  for await (const event of openStream('ticks', { symbols: ['EURUSD'] }, options())) {
    types.push(event.type);
    if (types.length === 1) source.emit({ kind: 'reset', epoch: 2, reason: 'another instance' });
    if (types.length === 2)
      source.emit({ kind: 'load', topic: 'ticks', seq: 1, slices: [{ key: 'EURUSD', entities: [] }] });
    if (types.length === 4) break;
  }
  expect(types).toEqual(['snapshot', 'system', 'gap', 'snapshot']);
});

test('a reader that is slower than the stream loses nothing', async () => {
  const stream = openStream('deals', { logins: [1001] }, options());
  expect((await stream.next()).value?.type).toBe('snapshot');
  const count = 12_000;
  for (let i = 1; i <= count; i++) deal(i);
  const seen: string[] = [];
  for await (const event of stream) {
    seen.push(...tickets(event));
    if (seen.length >= count) break;
  }
  expect(seen).toEqual(Array.from({ length: count }, (_, i) => String(i + 1)));
});

test('an aborted signal ends it; what the bridge refuses for good is thrown', async () => {
  const stream = openStream('ticks', { symbols: ['EURUSD'] }, options());
  await stream.next();
  const pending = stream.next();
  abort.abort();
  expect(await pending).toEqual({ value: undefined, done: true });
  const wrong = openStream('ticks', { symbols: ['A,B'] }, { ...options(), signal: new AbortController().signal });
  await expect(wrong.next()).rejects.toThrow(BridgeStreamError);
});

test('streams of one client share a socket; one that ends leaves the others and its topic free', async () => {
  const opened: WebSocket[] = [];
  const webSocket = class extends WebSocket {
    constructor(url: string) {
      super(url);
      opened.push(this);
    }
  };
  const client = createBridgeClient({ ...options(), webSocket });
  const [ticks, deals] = [client.stream('ticks', { symbols: ['EURUSD'] }), client.stream('deals', { logins: [1001] })];
  expect((await ticks.next()).value?.type).toBe('snapshot');
  expect((await deals.next()).value?.type).toBe('snapshot');
  await ticks.return?.();
  const again = client.stream('ticks', { symbols: ['GBPUSD'] });
  expect((await again.next()).value?.type).toBe('snapshot');
  deal(1);
  const { value } = await deals.next();
  expect(value && tickets(value)).toEqual(['1']);
  const refused = client.stream('positions', { logins: [-1] });
  await expect(refused.next()).rejects.toThrow(BridgeStreamError);
  expect(opened.length).toBe(1);
  expect([...server.service.core.connections].map(({ members }) => [...members.keys()])).toEqual([['deals', 'ticks']]);
  const twice = client.stream('ticks', { symbols: ['EURUSD'] });
  expect((await twice.next()).value?.type).toBe('snapshot');
  expect(opened.length).toBe(2);
  for (const stream of [again, deals, twice]) await stream.return?.();
});
