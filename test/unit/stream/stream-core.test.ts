import { beforeEach, expect, test } from 'vitest';
import type { StreamGap } from '../../../container/contract/events.ts';
import type { Frame } from '../../../container/contract/frames.ts';
import { StreamCore } from '../../../container/stream/stream-core.ts';
import { authenticated, FakePeer, FakeSource } from '../../support/stream.ts';

let now = 1_000_000;
let source: FakeSource;
let core: StreamCore;
let valid: Set<string>;
let gaps: StreamGap[];

beforeEach(() => {
  source = new FakeSource();
  valid = new Set();
  gaps = [];
  core = new StreamCore({
    source,
    authenticate: async (key) => (key === 'good' ? authenticated : undefined),
    stillValid: async () => valid,
    now: () => now,
    defer: () => {},
    onGaps: (some) => gaps.push(...some),
  });
  source.emit = (event) => core.apply(event);
  source.reset(7, true);
});

const pass = async (ms: number): Promise<void> => {
  for (let passed = 0; passed < ms; passed += 1_000) {
    now += 1_000;
    core.tick();
    await Promise.resolve();
  }
};
const subscribe = (symbols: string[]): FakePeer => {
  const peer = new FakePeer();
  core.connect(peer, authenticated).receive(JSON.stringify({ op: 'subscribe', topic: 'ticks', symbols }));
  source.answer();
  return peer;
};

test('a heartbeat comes twice within the stated limit of silence', async () => {
  const peer = subscribe(['A']);
  const ack = peer.of('ack')[0] as Frame;
  const { silenceLimitMs } = ack.data as { silenceLimitMs: number };
  await pass(silenceLimitMs);
  expect(peer.of('heartbeat')).toHaveLength(2);
  expect(peer.of('heartbeat')[0]).toMatchObject({ topic: 'system', epoch: 7 });
});

test('clients of one selection are sent the very same bytes, whatever the order they asked in', () => {
  const peers = [subscribe(['A', 'B']), subscribe(['B', 'A']), subscribe(['A'])];
  source.change('ticks', [{ key: 'A', id: 'A', value: { bid: 1 } }]);
  core.flush();
  source.change('ticks', [{ key: 'A', id: 'A', value: { bid: 2 } }]);
  core.flush();
  const [first, second, other] = peers.map((peer) => peer.chunks.at(-1));
  expect(first).toBe(second);
  expect(first).not.toBe(other);
  for (const peer of peers) expect(peer.of('delta')).toHaveLength(2);
});

test('who presents no key in time is closed with 4001, and so is a session that has ended', async () => {
  const silent = new FakePeer();
  core.connect(silent);
  const trader = new FakePeer();
  core.connect(trader, { caller: { id: 'session:1', scopes: ['read'], sessionId: '1' }, proof: 'p' });
  valid.add('p');
  await pass(8_000);
  expect([silent.closedWith, trader.closedWith]).toEqual([undefined, undefined]);
  await pass(4_000);
  expect(silent.closedWith).toBe(4001);
  valid.clear();
  await pass(4_000);
  expect(trader.closedWith).toBe(4001);
});

test('what is asked before the key is checked is answered after', async () => {
  const peer = new FakePeer();
  const connection = core.connect(peer);
  connection.receive('{"op":"auth","id":1,"key":"good"}');
  connection.receive('{"op":"subscribe","id":2,"topic":"ticks","symbols":["A"]}');
  expect(peer.frames).toEqual([]);
  await Promise.resolve();
  await Promise.resolve();
  expect(peer.of('ack').map(({ id }) => id)).toEqual([1, 2]);
});

test('a selector that is refused is told to its subscribers, and the rest is served', () => {
  const peer = new FakePeer();
  core.connect(peer, authenticated).receive('{"op":"subscribe","topic":"accounts","logins":[1,2]}');
  core.apply({ kind: 'refused', topic: 'accounts', selector: '2', code: 'object_not_found', detail: 'no 2' });
  source.loaded.add('accounts 2');
  source.answer();
  expect(peer.of('error')[0]).toMatchObject({ topic: 'accounts', data: { code: 'object_not_found', field: 'logins' } });
  expect(peer.of('snapshot')).toHaveLength(1);
});

test('a snapshot of very many things comes in parts, and is resumed only when it is whole', () => {
  const books = new Map(Array.from({ length: 12_000 }, (_, id) => [String(id), `{"id":${id}}`]));
  source.truth.set('positions group::*', books);
  const peer = new FakePeer();
  core.connect(peer, authenticated).receive('{"op":"subscribe","topic":"positions","groups":["*"]}');
  source.answer();
  const frames = peer.frames.filter(({ type, topic }) => topic === 'positions' && type !== 'ack');
  const whole = core.log('positions').seq;
  expect(frames.map(({ type, seq, prev }) => [type, seq, prev])).toEqual([
    ['snapshot', 0, 0],
    ['delta', 0, 0],
    ['delta', whole, 0],
  ]);
  expect(frames.flatMap(({ data }) => data as object[])).toHaveLength(12_000);
  const resume = (seq: number): FakePeer => {
    const again = new FakePeer();
    const operation = { op: 'resume', topic: 'positions', groups: ['*'], epoch: 7, seq };
    core.connect(again, authenticated).receive(JSON.stringify(operation));
    return again;
  };
  for (const client of [resume(0), resume(0)]) expect(client.of('gap')).toHaveLength(1);
  // Told together, and once.
  core.tick();
  core.tick();
  expect(gaps).toEqual([{ topic: 'positions', reason: expect.any(String), subscriptions: 2 }]);
  expect(resume(whole).frames.map(({ type }) => type)).toEqual(['ack']);
});
