import { describe, expect, test } from 'vitest';
import {
  daylightActive,
  formatServerTime,
  serverFromUtc,
  utcFromServer,
  type DaylightRule,
} from '../../../simulator/broker/calendar.ts';
import { TestBroker, WEDNESDAY_UTC_MS } from '../../../support/broker.ts';

const MINUTE_MS = 60_000;
const quotes = (it: TestBroker): unknown[] =>
  it.world.market.all.map(({ symbol, bid, ask, timeMsc, transId }) => [symbol.name, bid, ask, timeMsc, transId]);

describe('the feed', () => {
  test('same seed and clock, same ticks; another seed, others', () => {
    const run = (seed: number): unknown[] => {
      const it = new TestBroker({ clients: 0, seed, ticksPerSecond: 500 });
      for (let turn = 0; turn < 50; turn += 1) it.pass(20);
      return quotes(it);
    };
    expect(run(3)).toEqual(run(3));
    expect(run(3)).not.toEqual(run(4));
  });

  test('as many ticks a second as asked for, each with the next number, bid below ask', () => {
    const it = new TestBroker({ clients: 0, ticksPerSecond: 10_000 });
    const before = it.world.market.transId;
    for (let turn = 0; turn < 50; turn += 1) it.pass(20);
    expect(it.world.market.transId - before).toBe(10_000);
    for (const quote of it.world.market.all) expect(quote.ask).toBeGreaterThan(quote.bid);
  });

  test('crosses agree with their majors', () => {
    const it = new TestBroker({ clients: 0 });
    it.broker.clock.set({ utcMs: WEDNESDAY_UTC_MS + MINUTE_MS });
    const middle = (name: string): number => {
      const quote = it.world.market.quote(name);
      return quote === undefined ? 0 : (quote.bid + quote.ask) / 2 / 10 ** quote.symbol.digits;
    };
    expect(middle('EURUSD') * middle('USDJPY')).toBeCloseTo(middle('EURJPY'), 1);
    expect(middle('EURUSD') / middle('GBPUSD')).toBeCloseTo(middle('EURGBP'), 3);
  });

  test('freeze stops it, a gap skips numbers, out-of-order sends times back; then it goes on', () => {
    const it = new TestBroker({ clients: 0, ticksPerSecond: 1000 });
    it.pass(100);
    const frozen = quotes(it);
    it.broker.feed.fault({ kind: 'freeze-feed', ms: 1000 });
    it.pass(500);
    expect(quotes(it)).toEqual(frozen);
    it.broker.feed.heal();
    it.broker.feed.fault({ kind: 'gap', ms: 1000 });
    const { transId } = it.world.market;
    it.pass(500);
    expect(quotes(it)).toEqual(frozen);
    expect(it.world.market.transId).toBe(transId + 500);
    it.broker.feed.heal();
    it.broker.feed.fault({ kind: 'out-of-order', ms: 1000 });
    it.pass(500);
    const backwards = it.world.market.all.flatMap(({ ticks }) =>
      ticks.filter((tick, index) => index > 0 && tick.timeMsc < (ticks[index - 1]?.timeMsc ?? 0)),
    );
    expect(backwards.length).toBeGreaterThan(0);
    it.pass(600);
    const before = it.world.market.transId;
    it.pass(100);
    expect(it.world.market.transId).toBe(before + 100);
  });

  test('a market that is closed is silent', () => {
    const it = new TestBroker({ clients: 0, ticksPerSecond: 1000, tradingHours: 'real' });
    it.broker.clock.set({ utcMs: Date.UTC(2026, 10, 21, 12) });
    const before = new Map(it.world.market.all.map(({ symbol, transId }) => [symbol.name, transId]));
    for (let turn = 0; turn < 20; turn += 1) it.pass(100);
    const moved = it.world.market.all
      .filter(({ symbol, transId }) => before.get(symbol.name) !== transId)
      .map(({ symbol }) => symbol.name);
    expect(moved.sort()).toEqual(['BTCUSD', 'ETHUSD', 'LTCUSD', 'XRPUSD']);
  });
});

describe('bars of the past', () => {
  test('are the same whenever asked, inside trading hours, some minutes missing, high and low around open and close', () => {
    const it = new TestBroker({ clients: 0 });
    const symbol = it.world.books.symbol('US500');
    const wednesday = Date.UTC(2026, 10, 11);
    const bars = it.world.past.day(symbol, wednesday);
    expect(new TestBroker({ clients: 0 }).world.past.day(symbol, wednesday)).toEqual(bars);
    expect(it.world.past.day(symbol, Date.UTC(2026, 10, 14))).toEqual([]);
    // Sessions 01:05-22:55 and 23:00-23:55: 1365 minutes, about one in 97 of them without a tick.
    expect(bars.length).toBeLessThan(1365);
    expect(bars.length).toBeGreaterThan(1320);
    expect(bars[0]?.timeMs).toBeGreaterThanOrEqual(wednesday + 65 * MINUTE_MS);
    for (const { open, high, low, close } of bars) {
      expect(high).toBeGreaterThanOrEqual(Math.max(open, close));
      expect(low).toBeLessThanOrEqual(Math.min(open, close));
    }
  });

  test('lie on the path that the feed goes on', () => {
    const it = new TestBroker({ clients: 0, ticksPerSecond: 200 });
    const startMs = it.broker.time.serverMs();
    it.pass(1000);
    const quote = it.world.market.quote('EURUSD');
    const bars =
      quote === undefined ? [] : it.world.past.day(quote.symbol, Math.floor(startMs / 86_400_000) * 86_400_000);
    const last = bars.filter(({ timeMs }) => timeMs < startMs).at(-1);
    // A minute apart: at most some tens of points.
    expect(Math.abs((quote?.bid ?? 0) - (last?.close ?? 0))).toBeLessThan(60);
  });
});

describe('server time', () => {
  test.each([
    ['eu', '2026-03-29T00:59:59Z', false],
    ['eu', '2026-03-29T01:00:00Z', true],
    ['eu', '2026-10-25T00:59:59Z', true],
    ['eu', '2026-10-25T01:00:00Z', false],
    ['us', '2026-03-08T06:59:59Z', false],
    ['us', '2026-03-08T07:00:00Z', true],
    ['us', '2026-11-01T05:59:59Z', true],
    ['us', '2026-11-01T06:00:00Z', false],
    ['none', '2026-07-01T00:00:00Z', false],
  ] as const)('%s rule at %s: %s', (rule: DaylightRule, at, active) =>
    expect(daylightActive(Date.parse(at), rule)).toBe(active),
  );

  test('goes there and back', () => {
    const zone = { offsetMinutes: 120, daylight: 'eu' } as const;
    for (const at of ['2026-01-15T12:00:00Z', '2026-07-15T12:00:00Z', '2026-10-25T03:00:00Z']) {
      expect(utcFromServer(serverFromUtc(Date.parse(at), zone), zone)).toBe(Date.parse(at));
    }
    expect(formatServerTime(serverFromUtc(Date.parse('2026-07-15T12:00:00Z'), zone))).toBe('2026.07.15 15:00:00');
  });

  test('is set and sped up; what does not fit is named', () => {
    const it = new TestBroker({ clients: 0 });
    const { clock } = it.broker;
    expect(clock.set({ utc: '2026-07-01T10:00:00Z', speed: 60, daylight: 'eu' })).toBeUndefined();
    it.pass(1000);
    expect(clock.get()).toMatchObject({ server: '2026.07.01 13:01:00', speed: 60 });
    expect(clock.set({ speed: -1 })).toContain('speed');
    expect(clock.set({ utc: 'soon' })).toContain('utc');
    expect(clock.set({ daylight: 'mars' })).toContain('daylight');
    expect(clock.set({ offsetMinutes: 9999 })).toContain('offsetMinutes');
  });
});

test('trading hours change while it runs, and come back with a reset', () => {
  const it = new TestBroker({ clients: 0 });
  const saturday = (): boolean => (it.world.books.symbol('EURUSD').sessionsTrades[6]?.length ?? 0) > 0;
  expect(saturday()).toBe(true);
  expect(it.broker.feed.set({ tradingHours: 'real' })).toBeUndefined();
  expect(saturday()).toBe(false);
  expect(it.broker.feed.set({ tradingHours: 'sometimes' })).toContain('tradingHours');
  expect(it.broker.feed.set({})).toContain('ticksPerSecond');
  it.broker.reset();
  expect(saturday()).toBe(true);
});
