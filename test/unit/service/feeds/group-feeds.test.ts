import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { SourceEvent } from '../../../../container/contract/hub-link.ts';
import { groupKey } from '../../../../container/contract/slice-keys.ts';
import type { Poller } from '../../../../container/service/feeds/poller.ts';
import type { WireObject } from '../../../../container/webapi/fields.ts';
import { FakeBroker, pollerOver } from '../../../support/feed-broker.ts';

const START_MS = Date.UTC(2026, 10, 18, 12);
const ALL = groupKey(['*'], undefined);

let broker: FakeBroker;
let poller: Poller;
let events: SourceEvent[];

beforeEach(() => {
  vi.useFakeTimers({ now: START_MS });
  broker = new FakeBroker();
  events = [];
  poller = pollerOver(broker);
});
afterEach(() => {
  poller.stop();
  vi.useRealTimers();
});

const run = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const follow = () => poller.attach((event) => events.push(event));
const loaded = (): [key: string, ids: string[]][] =>
  events.flatMap((event) =>
    event.kind === 'load'
      ? event.slices.map(({ key, entities }): [string, string[]] => [key, entities.map(({ id }) => id)])
      : [],
  );
const told = (key = ALL): [id: string, event: string | undefined][] =>
  events.flatMap((event) =>
    event.kind === 'change'
      ? event.changes
          .filter((change) => change.key === key)
          .map(({ id, json }): [string, string | undefined] => [id, (JSON.parse(json) as { event?: string }).event])
      : [],
  );

function position(login: number, ticket: number, profit = '0.00'): WireObject {
  if (!broker.groups.has(String(login))) broker.groups.set(String(login), 'real');
  return { Login: String(login), Position: String(ticket), Symbol: 'EURUSD', Action: '0', Profit: profit };
}
const askedByGroup = (path: string): number =>
  broker.asked.filter((one) => one.path === path && one.query['group'] !== undefined).length;
const positions = (...list: WireObject[]): unknown => broker.lists.set('position/get_batch', list);

test('a group is one question a poll; its new accounts are told, and those that leave it', async () => {
  positions(position(1001, 7), position(1002, 8));
  follow().want('positions', [ALL]);
  await run(1_000);
  expect(loaded()).toEqual([[ALL, ['7', '8']]]);
  expect(new Set(broker.asked.map(({ query }) => JSON.stringify(query)))).toEqual(new Set(['{"group":"*"}']));
  positions(position(1001, 7), position(1002, 8, '5.00'), position(1003, 9));
  await run(2_000);
  broker.groups.delete('1001');
  positions(position(1002, 8, '5.00'));
  broker.lists.get('position/get_batch')?.push({ ...position(1002, 8), Login: '1001', Position: '7' });
  await run(2_000);
  positions();
  await run(2_000);
  expect(told()).toEqual([
    ['8', 'changed'],
    ['9', 'opened'],
    ['7', 'left'],
    ['9', 'closed'],
    ['8', 'closed'],
  ]);
});

test('what a group answer forgets is not told as closed while it stands', async () => {
  positions(position(1001, 7), position(1002, 8));
  follow().want('positions', [ALL]);
  await run(1_000);
  broker.forgets.add('8');
  await run(2_000);
  expect(told()).toEqual([]);
});

test('a key that is bound to logins sees those of the group only', async () => {
  positions(position(1001, 7), position(1002, 8));
  const own = groupKey(['*'], [[1002, 1002]]);
  follow().want('positions', [ALL, own]);
  await run(1_000);
  expect(loaded()).toEqual([
    [ALL, ['7', '8']],
    [own, ['8']],
  ]);
  positions(position(1001, 7, '1.00'), position(1002, 8), position(1002, 9));
  await run(2_000);
  expect(told(own)).toEqual([['9', 'opened']]);
  expect(told(ALL)).toHaveLength(2);
});

test.each(['refuses group=', 'overlooks group=', 'tells a part only'])(
  'a server that %s is asked by login',
  async (trouble) => {
    if (trouble === 'refuses group=') broker.refusesGroups = true;
    else if (trouble === 'overlooks group=') broker.overlooksGroups = true;
    else broker.most = 2;
    positions(position(1001, 1), position(1001, 2), position(1002, 3), position(1002, 4));
    follow().want('positions', [ALL]);
    await run(3_000);
    expect(loaded()).toEqual([[ALL, ['1', '2', '3', '4']]]);
    expect(told()).toEqual([]);
    // Where it told nobody, it is asked again once: the book may have changed meanwhile.
    expect(askedByGroup('position/get_batch')).toBe(trouble === 'overlooks group=' ? 2 : 1);
    expect(broker.count('user/logins')).toBe(1);
    positions(position(1001, 1), position(1001, 2), position(1002, 3));
    await run(2_000);
    expect(told()).toEqual([['4', 'closed']]);
  },
);

test('a mask of more than one answer holds is asked for group by group', async () => {
  broker.most = 3;
  broker.groups.set('1002', 'vip');
  positions(position(1001, 1), position(1001, 2), position(1002, 3), position(1002, 4));
  follow().want('positions', [ALL]);
  await run(1_000);
  expect(loaded()).toEqual([[ALL, ['3', '4', '1', '2']]]);
  await run(5_000);
  expect(told()).toEqual([]);
  expect(broker.count('user/logins')).toBe(0);
});

test('the last minute of many deals is read in parts, and a deal that is seen late is told all the same', async () => {
  broker.groups.set('1001', 'real');
  const deals: WireObject[] = [];
  broker.lists.set('deal/get_batch', deals);
  const deal = (agoSeconds: number): string => {
    const Deal = String(deals.length + 1);
    deals.push({ Login: '1001', Deal, Action: '0', Time: String(Math.floor(Date.now() / 1000) - agoSeconds) });
    return Deal;
  };
  for (let ago = 60; ago >= 0; ago--) for (let i = 0; i < 40; i++) deal(ago);
  follow().want('deals', [ALL]);
  const expected: string[] = [];
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      await run(1_000);
      for (let i = 0; i < 40; i++) expected.push(deal(0));
    }
  };
  await pass(5);
  broker.longest = 0;
  await pass(15);
  expected.push(deal(50), deal(30), deal(6));
  await pass(20);
  expect(broker.longest).toBeLessThan(400);
  await run(2_000);
  expect(told().map(([id]) => id)).toHaveLength(expected.length);
  expect(new Set(told().map(([id]) => id))).toEqual(new Set(expected));
});

test('a deal of a group is told once, also of an account that is new', async () => {
  const deal = (login: number, ticket: number): WireObject => {
    broker.groups.set(String(login), 'real');
    return { Login: String(login), Deal: String(ticket), Action: '0', Time: String(Math.floor(Date.now() / 1000)) };
  };
  const deals = [deal(1001, 1)];
  broker.lists.set('deal/get_batch', deals);
  follow().want('deals', [ALL]);
  await run(1_000);
  deals.push(deal(1001, 2), deal(1005, 3));
  await run(90_000);
  expect(told().map(([id]) => id)).toEqual(['2', '3']);
});

test('a group whose first deal comes while it is looked for by login is still asked for as a group', async () => {
  broker.groups.set('1001', 'real');
  const deal = { Login: '1001', Deal: '1', Action: '0', Time: String(Math.floor(Date.now() / 1000)) };
  const read = broker.read.bind(broker);
  vi.spyOn(broker, 'read').mockImplementation((path, query) => {
    const isByLogin = path === 'deal/get_batch' && query.some(([name]) => name === 'login');
    if (isByLogin) broker.lists.set(path, [deal]);
    return read(path, query);
  });
  follow().want('deals', [ALL]);
  await run(10_000);
  const byLogin = (): number => broker.count('deal/get_batch') - askedByGroup('deal/get_batch');
  const before = byLogin();
  await run(10_000);
  expect([before, byLogin()]).toEqual([1, 1]);
  expect(askedByGroup('deal/get_batch')).toBeGreaterThan(10);
});

test('the last minute of a group is read whole every 15 s, its last seconds in between; what comes late is told', async () => {
  broker.groups.set('1001', 'real');
  const deals: WireObject[] = [];
  const happened = (ticket: number, agoMs: number): unknown =>
    deals.push({
      Login: '1001',
      Deal: String(ticket),
      Action: '0',
      Time: String(Math.floor((Date.now() - agoMs) / 1000)),
    });
  happened(1, 0);
  broker.lists.set('deal/get_batch', deals);
  follow().want('deals', [ALL]);
  await run(1_000);
  broker.asked.length = 0;
  await run(30_000);
  const windows = broker.asked.map(({ query }) => Number(query['to']) - 86_400 - Number(query['from']));
  expect(windows.filter((seconds) => seconds > 50)).toHaveLength(2);
  expect(windows.filter((seconds) => seconds < 10).length).toBeGreaterThan(20);
  happened(2, 0);
  await run(1_000);
  expect(told().map(([id]) => id)).toEqual(['2']);
  happened(3, 40_000);
  await run(15_500);
  expect(told().map(([id]) => id)).toEqual(['2', '3']);
});
