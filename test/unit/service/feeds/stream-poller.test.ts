import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BridgeError } from '../../../../container/contract/errors.ts';
import type { Poller } from '../../../../container/service/feeds/poller.ts';
import { StreamCore } from '../../../../container/stream/stream-core.ts';
import type { SourceEvent } from '../../../../container/contract/hub-link.ts';
import type { WireObject } from '../../../../container/webapi/fields.ts';
import { FakeBroker, pollerOver } from '../../../support/feed-broker.ts';
import { authenticated, FakePeer } from '../../../support/stream.ts';

/** A Wednesday. */
const START_MS = Date.UTC(2026, 10, 18, 12);

let broker: FakeBroker;
let poller: Poller;
let events: SourceEvent[];

beforeEach(() => {
  vi.useFakeTimers({ now: START_MS });
  broker = new FakeBroker();
  events = [];
  poller = pollerOver(broker, { upstreamPerSecond: 40 });
});
afterEach(() => {
  poller.stop();
  vi.useRealTimers();
});

const of = <Kind extends SourceEvent['kind']>(kind: Kind): Extract<SourceEvent, { kind: Kind }>[] =>
  events.filter((event): event is Extract<SourceEvent, { kind: Kind }> => event.kind === kind);
const follow = () => poller.attach((event) => events.push(event));
const run = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('ticks', () => {
  test('cost the same for a thousand subscribers of 25 symbols as for one', async () => {
    const symbols = Array.from({ length: 25 }, (_, i) => `S${i}`);
    const polls = async (subscribers: number): Promise<number> => {
      for (const symbol of symbols) broker.tick(symbol, '1.0');
      const link = poller.attach((event) => core.apply(event));
      const core = new StreamCore({
        source: link,
        authenticate: async () => authenticated,
        now: Date.now,
        defer: (flush) => queueMicrotask(flush),
        limits: { lingerMs: 0 },
      });
      const connections = Array.from({ length: subscribers }, () => {
        const connection = core.connect(new FakePeer(), authenticated);
        connection.receive(JSON.stringify({ op: 'subscribe', topic: 'ticks', symbols }));
        return connection;
      });
      await run(100);
      const before = broker.count('tick/last');
      for (let i = 0; i < 50; i++) {
        broker.tick(`S${i % 25}`, `1.${i}`);
        await run(100);
      }
      const after = broker.count('tick/last');
      expect(core.counters.frames).toBeGreaterThan(40 * subscribers);
      for (const connection of connections) connection.closed();
      await run(1);
      core.tick();
      expect(poller.stats()['ticks']).toBe(0);
      link.detach();
      return after - before;
    };
    const one = await polls(1);
    expect(await polls(1000)).toBe(one);
  });

  test('are asked for fast under change, slower in silence, and not at all without subscribers', async () => {
    broker.tick('EURUSD', '1.1');
    const link = follow();
    link.want('ticks', ['EURUSD']);
    await run(10_000);
    const silent = broker.count('tick/last');
    await run(10_000);
    expect(broker.count('tick/last') - silent).toBeLessThanOrEqual(11);
    const before = broker.count('tick/last');
    for (let i = 0; i < 20; i++) {
      broker.tick('EURUSD', `1.2${i}`);
      await run(100);
    }
    expect(broker.count('tick/last') - before).toBeGreaterThan(12);
    link.drop('ticks', ['EURUSD']);
    await run(2_000);
    const last = broker.asked.length;
    await run(60_000);
    expect(broker.asked.length).toBe(last);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('that are duplicates or older than the last are dropped and counted', async () => {
    broker.tick('EURUSD', '1.1', START_MS);
    follow().want('ticks', ['EURUSD']);
    await run(500);
    broker.tick('EURUSD', '1.1', START_MS);
    await run(2_000);
    broker.tick('EURUSD', '1.0', START_MS - 1_000);
    await run(2_000);
    expect(of('change')).toEqual([]);
    expect(poller.stats()).toMatchObject({ duplicates: 1, outOfOrder: 1 });
    broker.tick('EURUSD', '1.2', START_MS + 5_000);
    await run(2_000);
    expect(of('change')).toHaveLength(1);
  });

  test('survive a server that restarts its counter', async () => {
    broker.tick('EURUSD', '1.1');
    follow().want('ticks', ['EURUSD']);
    await run(500);
    broker.transId = 3;
    broker.tick('EURUSD', '1.2');
    await run(2_000);
    expect(of('change').map(({ changes }) => (JSON.parse(changes[0]?.json ?? '') as { bid: string }).bid)).toEqual([
      '1.2',
    ]);
    expect(poller.stats()['restarts']).toBeGreaterThan(0);
  });

  test('of many symbols are asked for in lists of at most 4096 characters', async () => {
    const symbols = Array.from({ length: 1_000 }, (_, i) => `SYMBOL.${i}`);
    follow().want('ticks', symbols);
    await run(3_000);
    const lists = broker.asked.filter(({ path }) => path === 'tick/last').map(({ query }) => query['symbol'] ?? '');
    expect(Math.max(...lists.map((list) => list.length))).toBeLessThanOrEqual(4096);
    expect(new Set(lists.flatMap((list) => list.split(',')))).toEqual(new Set(symbols));
  });

  test('that stop are stale after 15 s inside the hours, and never outside of them', async () => {
    broker.hours = [[], [], [], [{ Open: '0', Close: '780' }], [], [], []];
    broker.tick('EURUSD', '1.1');
    follow().want('ticks', ['EURUSD']);
    await run(14_000);
    expect(of('mark')).toEqual([]);
    await run(2_500);
    expect(of('mark')).toEqual([{ kind: 'mark', mark: 'stale', symbols: ['EURUSD'] }]);
    broker.tick('EURUSD', '1.2');
    await run(1_500);
    expect(of('mark').at(-1)).toEqual({ kind: 'mark', mark: 'live', symbols: ['EURUSD'] });
    // 13:00, the end of the hours, is 44 minutes away: a tick now and then.
    for (let i = 0; i < 300; i++) {
      broker.tick('EURUSD', `1.3${i}`);
      await run(10_000);
    }
    await run(60_000 * 20);
    expect(of('system').map(({ event }) => event)).toEqual(['market_open', 'market_closed']);
    const week = 7 * 86_400_000;
    expect(of('system').at(-1)?.data['opensAtMs']).toBe(Date.UTC(2026, 10, 18) + week);
    const marks = of('mark').length;
    const polls = broker.count('tick/last');
    await run(600_000);
    expect(of('mark')).toHaveLength(marks);
    expect(broker.count('tick/last') - polls).toBeLessThanOrEqual(61);
  });
});

describe('logins', () => {
  const position = (login: number, ticket: number, profit: string): WireObject => ({
    Login: String(login),
    Position: String(ticket),
    Symbol: 'EURUSD',
    Action: '0',
    Volume: '1000',
    Profit: profit,
  });

  test('tell what was opened, changed and closed, and nothing else', async () => {
    broker.lists.set('position/get_batch', [position(1001, 7, '1.00')]);
    follow().want('positions', ['1001', '1002']);
    await run(1_000);
    expect(of('load')[0]?.slices.map(({ key, entities }) => [key, entities.length])).toEqual([
      ['1001', 1],
      ['1002', 0],
    ]);
    broker.lists.set('position/get_batch', [position(1001, 7, '2.00'), position(1002, 8, '0.00')]);
    await run(2_000);
    broker.lists.set('position/get_batch', [position(1002, 8, '0.00')]);
    await run(2_000);
    const told = of('change').flatMap(({ changes }) =>
      changes.map(({ id, json, state }) => [id, (JSON.parse(json) as { event: string }).event, state === null]),
    );
    expect(told).toEqual([
      ['7', 'changed', false],
      ['8', 'opened', false],
      ['7', 'closed', true],
    ]);
  });

  test('of more rows than one answer holds nothing is told as closed: it is asked for in parts', async () => {
    const many = [1001, 1001, 1002, 1002, 1002, 1002, 1002].map((login, i) => position(login, i + 1, '0.00'));
    broker.most = 4;
    broker.lists.set('position/get_batch', many);
    follow().want('positions', ['1001', '1002', '1003']);
    await run(1_000);
    expect(of('load')[0]?.slices.map(({ key, entities }) => [key, entities.length])).toEqual([
      ['1001', 2],
      ['1002', 5],
      ['1003', 0],
    ]);
    await run(3_000);
    expect(of('change')).toEqual([]);
    broker.lists.set('position/get_batch', many.slice(0, -1));
    await run(2_000);
    expect(of('change').flatMap(({ changes }) => changes.map(({ id }) => id))).toEqual(['7']);
  });

  test('tell every deal once, those of before not at all', async () => {
    const deal = (ticket: number, atMs: number): WireObject => ({
      Login: '1001',
      Deal: String(ticket),
      Symbol: 'EURUSD',
      Action: '0',
      Time: String(Math.floor(atMs / 1000)),
    });
    const deals = [deal(1, START_MS - 5_000)];
    broker.lists.set('deal/get_batch', deals);
    follow().want('deals', ['1001']);
    await run(1_000);
    deals.push(deal(2, Date.now()));
    await run(3_000);
    // Seen late, with an earlier time.
    deals.push(deal(3, Date.now() - 20_000));
    await run(120_000);
    const told = of('change').flatMap(({ changes }) => changes.map(({ id }) => id));
    expect(told).toEqual(['2', '3']);
  });

  test('of any number stay within the budget of requests', async () => {
    follow().want(
      'accounts',
      Array.from({ length: 5_000 }, (_, i) => String(1001 + i)),
    );
    follow().want(
      'positions',
      Array.from({ length: 5_000 }, (_, i) => String(1001 + i)),
    );
    await run(30_000);
    expect(broker.asked.length).toBeLessThanOrEqual(20 * 31);
  });
});

test('a broker that cannot be reached is told once, and its return once', async () => {
  broker.tick('EURUSD', '1.1');
  follow().want('ticks', ['EURUSD']);
  await run(1_000);
  broker.failure = new BridgeError('broker_unreachable', 'no answer');
  await run(20_000);
  broker.failure = undefined;
  await run(10_000);
  expect(
    of('system')
      .map(({ event }) => event)
      .filter((event) => event.startsWith('session')),
  ).toEqual(['session_lost', 'session_restored']);
});

test('what the broker forbids is told to who asked, and stops nothing else', async () => {
  broker.failing = 'order/get_batch';
  broker.failure = new BridgeError('broker_forbidden', 'no right to see orders');
  const link = follow();
  link.want('orders', ['1001']);
  link.want('positions', ['1001']);
  await run(2_000);
  expect(of('refused')).toMatchObject([{ topic: 'orders', selector: '1001', code: 'broker_forbidden' }]);
  expect(of('load')).toMatchObject([{ topic: 'positions' }]);
  expect(of('system')).toEqual([]);
  broker.failing = 'position/get_batch';
  const before = broker.count('position/get_batch');
  await run(5_000);
  expect(of('system')).toEqual([]);
  expect(broker.count('position/get_batch')).toBeGreaterThan(before);
});

test('a new epoch starts everything from the beginning', async () => {
  broker.tick('EURUSD', '1.1');
  follow().want('ticks', ['EURUSD']);
  await run(1_000);
  poller.signedIn(2);
  await run(1_500);
  expect(events.map(({ kind }) => kind).filter((kind) => kind === 'reset' || kind === 'load')).toEqual([
    'reset',
    'load',
    'reset',
    'load',
  ]);
});

test('who comes later hears with its first answers until when it was told, which each then hears once a second', async () => {
  follow().want('deals', ['1001']);
  await run(5_000);
  const before = of('alive').length;
  expect(before).toBeLessThanOrEqual(6);
  const later: SourceEvent[] = [];
  // Not a second after the last one.
  poller.attach((event) => later.push(event)).want('deals', ['1002']);
  await run(600);
  expect(later.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['load', 'alive']));
});
