import { beforeEach, expect, test } from 'vitest';
import type { MissedRow } from '../../../container/contract/hub-link.ts';
import { StreamCore } from '../../../container/stream/stream-core.ts';
import { authenticated, FakePeer, FakeSource } from '../../support/stream.ts';

/** What happened while nobody followed it: told after the gap, before the snapshot, each once. */
let now = 1_000_000;
let source: FakeSource;
let core: StreamCore;

beforeEach(() => {
  now = 1_000_000;
  source = new FakeSource();
  core = new StreamCore({ source, authenticate: async () => authenticated, now: () => now, defer: () => {} });
  source.emit = (event) => core.apply(event);
  source.reset(7, true);
});

const follow = (operation: object): FakePeer => {
  const peer = new FakePeer();
  core.connect(peer, authenticated).receive(JSON.stringify({ topic: 'deals', logins: [1001], ...operation }));
  source.answer();
  return peer;
};
const row = (id: string, atMs: number): MissedRow => ({ key: '1001', id, atMs, json: `{"ticket":"${id}"}` });
const deal = (ticket: string): void => {
  source.change('deals', [{ key: '1001', id: ticket, value: { ticket } }]);
  core.flush();
};
const tell = (rows: readonly MissedRow[] | null): void =>
  core.apply({ kind: 'missed', topic: 'deals', id: source.asked.at(-1)?.id ?? 0, rows });
const shown = (peer: FakePeer): string[] =>
  peer.frames.filter(({ topic, type }) => topic === 'deals' && type !== 'ack').map(({ type }) => type);
const ticketsOf = (peer: FakePeer): string[] =>
  peer.of('delta').flatMap(({ data }) => (data as { ticket: string }[]).map(({ ticket }) => ticket));

test('after the source was replaced: gap since when, what was missed, snapshot; nothing that was told before', async () => {
  const peer = follow({ op: 'subscribe' });
  deal('1');
  core.apply({ kind: 'alive', source: 'books', untilMs: 1_000_500 });
  now = 1_000_700;
  deal('2');
  now = 1_010_000;
  source.reset(8, true);
  source.answer();
  await Promise.resolve();
  expect(source.asked).toMatchObject([{ topic: 'deals', keys: ['1001'], sinceMs: 1_000_500 - 60_000 }]);
  expect(shown(peer)).toEqual(['snapshot', 'delta', 'delta']);
  now += 1;
  // What happens meanwhile is part of what is told, or comes after it.
  deal('4');
  tell([row('1', 999_000), row('2', 1_000_600), row('3', 1_002_000), row('4', 1_010_000)]);
  deal('5');
  expect(shown(peer)).toEqual(['snapshot', 'delta', 'delta', 'gap', 'delta', 'snapshot', 'delta']);
  expect(peer.of('gap')[0]?.data).toMatchObject({ sinceMs: 1_000_500 });
  expect(ticketsOf(peer)).toEqual(['1', '2', '3', '4', '5']);
});

test('members of one selection are asked for together; a loss while it is asked is asked for again, from the first', async () => {
  const peers = [follow({ op: 'subscribe' }), follow({ op: 'subscribe' })];
  core.apply({ kind: 'alive', source: 'books', untilMs: 1_000_500 });
  for (const epoch of [8, 9]) {
    now += 10_000;
    source.reset(epoch, true);
    source.answer();
    await Promise.resolve();
    core.apply({ kind: 'alive', source: 'books', untilMs: now });
  }
  expect(source.asked.map(({ sinceMs }) => sinceMs)).toEqual([940_500, 940_500]);
  tell([row('3', 1_002_000)]);
  for (const peer of peers) expect(ticketsOf(peer)).toEqual(['3']);
});

test('a client that says since when is told by the time of the deals where nothing else is known', async () => {
  const peer = follow({ op: 'resume', epoch: 3, seq: 9, sinceMs: 990_000 });
  await Promise.resolve();
  tell([row('1', 980_000), row('2', 986_000), row('3', 995_000)]);
  expect(shown(peer)).toEqual(['gap', 'delta', 'snapshot']);
  expect(peer.of('gap')[0]?.data).toMatchObject({ sinceMs: 990_000 });
  // The broker's clock may be five seconds behind.
  expect(ticketsOf(peer)).toEqual(['2', '3']);
});

test('where the broker does not tell, the gap stays declared, and the stream goes on', async () => {
  const peer = follow({ op: 'resume', epoch: 3, seq: 9, sinceMs: 990_000 });
  await Promise.resolve();
  tell(null);
  deal('6');
  expect(shown(peer)).toEqual(['gap', 'snapshot', 'delta']);
});

test('heartbeats say until when the books were read, not what time it is; nothing while something is owed', async () => {
  const peer = follow({ op: 'subscribe' });
  core.apply({ kind: 'alive', source: 'books', untilMs: 1_000_500 });
  const untilMs = (): unknown =>
    (peer.of('heartbeat').at(-1)?.data as { booksUntilMs: unknown } | undefined)?.booksUntilMs;
  for (const atMs of [1_006_000, 1_012_000, 1_018_000]) {
    now = atMs;
    core.tick();
    expect(untilMs()).toBe(1_000_500);
  }
  core.apply({ kind: 'alive', source: 'books', untilMs: 1_017_500 });
  now = 1_024_000;
  core.tick();
  expect(untilMs()).toBe(1_017_500);
  // Another instance: what was missed is still to come.
  source.reset(8, true);
  core.apply({ kind: 'alive', source: 'books', untilMs: 1_029_000 });
  now = 1_030_000;
  core.tick();
  expect(untilMs()).toBe(null);
  source.answer();
  await Promise.resolve();
  tell([]);
  now = 1_036_000;
  core.tick();
  expect(untilMs()).toBe(1_029_000);
});
