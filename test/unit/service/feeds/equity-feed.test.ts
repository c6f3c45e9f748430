import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { EquityRow } from '../../../../container/contract/equity.ts';
import { equityKey, groupKey } from '../../../../container/contract/slice-keys.ts';
import { equityRow } from '../../../../container/service/feeds/equity-row.ts';
import type { Poller } from '../../../../container/service/feeds/poller.ts';
import { StreamCore } from '../../../../container/stream/stream-core.ts';
import type { WireObject } from '../../../../container/webapi/fields.ts';
import { FakeBroker, pollerOver } from '../../../support/feed-broker.ts';
import { authenticated, FakePeer } from '../../../support/stream.ts';

let broker: FakeBroker;
let poller: Poller;
let peer: FakePeer;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 18, 12) });
  broker = new FakeBroker();
  peer = new FakePeer();
  poller = pollerOver(broker);
});
afterEach(() => {
  poller.stop();
  vi.useRealTimers();
});

const run = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

function money(login: number, equity: string, margin: string, marginLevel: string): WireObject {
  broker.groups.set(String(login), 'real');
  return { Login: String(login), CurrencyDigits: '2', Equity: equity, Margin: margin, MarginLevel: marginLevel };
}
const accounts = (...list: WireObject[]): unknown => broker.lists.set('user/account/get_batch', list);
const starts = (...list: [number, string][]): unknown =>
  broker.lists.set(
    'user/get_batch',
    list.map(([login, EquityPrevDay]) => ({ Login: String(login), EquityPrevDay })),
  );

function subscribe(selection: object): void {
  const link = poller.attach((event) => core.apply(event));
  const core = new StreamCore({
    source: link,
    authenticate: async () => authenticated,
    now: Date.now,
    defer: (flush) => queueMicrotask(flush),
  });
  core.connect(peer, authenticated).receive(JSON.stringify({ op: 'subscribe', topic: 'equity', ...selection }));
}
const told = (): unknown[] =>
  peer
    .of('delta')
    .flatMap(({ data }) => data as EquityRow[])
    .map(({ event, login, crossed }) => [event, login, crossed.join()]);

test('an account of a group is told when it crosses a bound, and in the snapshot while it is beyond', async () => {
  starts([1001, '1000.00'], [1002, '1000.00'], [1003, '0.00']);
  accounts(money(1001, '940.00', '500.00', '188.00'), money(1002, '990.00', '500.00', '198.00'));
  subscribe({ groups: ['*'], marginLevelBelow: 100, drawdownAbove: '5' });
  await run(1_000);
  expect(peer.of('snapshot')[0]?.data).toEqual([
    {
      login: 1001,
      crossed: ['drawdown'],
      equity: '940.00',
      margin: '500.00',
      marginLevel: '188.00',
      equityPreviousDay: '1000.00',
      drawdown: '60.00',
      drawdownPercent: '6.00',
    },
  ]);
  accounts(
    money(1001, '400.00', '500.00', '80.00'),
    money(1002, '950.00', '500.00', '190.00'),
    money(1003, '99.99', '100.00', '99.99'),
  );
  await run(2_000);
  accounts(money(1001, '960.00', '500.00', '192.00'), money(1002, '949.99', '0.00', '0.00'));
  broker.groups.delete('1003');
  await run(2_000);
  expect(told()).toEqual([
    ['changed', 1001, 'marginLevel,drawdown'],
    ['entered', 1003, 'marginLevel'],
    ['left', 1001, ''],
    ['entered', 1002, 'drawdown'],
    ['left', 1003, 'marginLevel'],
  ]);
});

test('logins are watched alike, and a bound is needed', async () => {
  accounts(money(1001, '40.00', '50.00', '80.00'));
  subscribe({ logins: [1001] });
  expect(peer.of('error')[0]?.data).toMatchObject({ code: 'invalid_field', field: 'marginLevelBelow' });
  subscribe({ logins: [1001], marginLevelBelow: '80.01' });
  await run(1_000);
  expect(peer.of('snapshot').flatMap(({ data }) => data)).toMatchObject([{ login: 1001, drawdown: null }]);
  expect(broker.count('user/get_batch')).toBe(0);
});

test('amounts are exact where a float is not', () => {
  const account = money(1, '90071992547409.93', '1.00', '100.00');
  const row = equityRow('1', account, '90071992547409.94', { marginLevelBelow: '100', drawdownAbove: '0' });
  expect(row).toMatchObject({ crossed: ['drawdown'], drawdown: '0.01', drawdownPercent: '0.00' });
});

test('the same selection has the same name', () => {
  expect(equityKey({ marginLevelBelow: '100' }, groupKey(['!b', 'c', 'a'], [[5, 7]]))).toBe('100||group:5-7:a,c,!b');
});
