import { afterEach, expect, it, vi } from 'vitest';
import type { TradingCalendar } from '../../../../container/contract/trading-calendar.ts';
import { BridgeError } from '../../../../container/contract/errors.ts';
import type { Broker, BrokerReply } from '../../../../container/service/broker/broker.ts';
import { CalendarReader } from '../../../../container/service/broker/trading-calendar.ts';
import type { WireValue } from '../../../../container/webapi/fields.ts';
import { BrokerClock } from '../../../../container/webapi/time.ts';

const day = (Open: string, Close: string): WireValue => [{ Open, Close }];
const week = (sessions: WireValue): WireValue => [[], sessions, sessions, [], [], [], []];
const SYMBOLS = [
  { Symbol: 'EURUSD', Path: 'Forex\\EURUSD', SessionsTrades: week(day('5', '1440')) },
  { Symbol: 'GBPUSD', Path: 'Forex\\GBPUSD', SessionsTrades: week(day('5', '1440')) },
  { Symbol: 'US500', Path: 'Indices\\US500', SessionsQuotes: week(day('60', '1380')) },
];
const HOLIDAYS = [
  {
    Description: 'Christmas',
    Mode: '1',
    Year: '0',
    Month: '12',
    Day: '25',
    WorkFrom: '0',
    WorkTo: '0',
    Symbols: ['*'],
  },
  { Mode: '1', Year: '2026', Month: '7', Day: '3', WorkFrom: '0', WorkTo: '1080', Symbols: ['Indices\\*'] },
  { Description: 'not in force', Mode: '0', Year: '0', Month: '1', Day: '1', Symbols: ['*'] },
  { Description: 'nonsense', Mode: '1', Year: '0', Month: '13', Day: '1', Symbols: ['*'] },
];

afterEach(() => {
  vi.useRealTimers();
});

function reading(holidays: 'told' | 'forbidden', symbols = '*', inUse: readonly string[] = []) {
  const told: TradingCalendar[] = [];
  const errors: unknown[] = [];
  let nowMs = 0;
  const masks: string[] = [];
  const read: Broker['read'] = async (path, query) => {
    const answer = (body: unknown) => ({ body: { answer: body } }) as unknown as BrokerReply;
    if (path === 'symbol/get') {
      masks.push(String(query[0]?.[1]));
      return answer(SYMBOLS);
    }
    if (holidays === 'forbidden') throw new BridgeError('broker_forbidden', 'no');
    return path === 'holiday/total' ? answer({ Total: '4' }) : answer(HOLIDAYS[Number(query[0]?.[1])]);
  };
  const reader = new CalendarReader({
    broker: { read },
    clock: { get: async () => new BrokerClock({ zoneMinutes: 120, daylight: 'us' }) },
    symbols,
    inUse: async () => inUse,
    now: () => nowMs,
    tell: (calendar) => told.push(calendar),
    onError: (error) => errors.push(error),
  });
  return { reader, told, errors, masks, later: (ms: number) => (nowMs += ms) };
}

const CHRISTMAS = { year: 0, month: 12, day: 25, open: null };
const hours = (from: number, to: number) => [
  [1440 + from, 1440 + to],
  [2880 + from, 2880 + to],
];

it('reads hours and holidays of the symbols in use; symbols that keep the same are one market', async () => {
  const { reader, told, errors, masks, later } = reading('told');
  reader.signedIn();
  reader.signedIn();
  await expect.poll(() => told).toHaveLength(1);
  expect(told[0]).toEqual({
    zone: { zoneMinutes: 120, daylight: 'us' },
    markets: [
      { symbols: ['EURUSD', 'GBPUSD'], hours: hours(5, 1440), holidays: [CHRISTMAS] },
      {
        symbols: ['US500'],
        hours: hours(60, 1380),
        holidays: [CHRISTMAS, { year: 2026, month: 7, day: 3, open: [0, 1080] }],
      },
    ],
  });
  expect(masks).toEqual(['*']);
  later(7 * 3_600_000);
  reader.signedIn();
  await expect.poll(() => told).toHaveLength(2);
  expect(errors).toEqual([]);
});

it('a manager who may not see holidays has a calendar without them', async () => {
  const { reader, told } = reading('forbidden');
  reader.signedIn();
  await expect.poll(() => told[0]?.markets).toHaveLength(1 + 1);
  expect(told[0]?.markets.flatMap(({ holidays }) => holidays)).toEqual([]);
});

it('without a mask it follows the symbols in use, and asks again when others come into use', async () => {
  vi.useFakeTimers();
  const inUse: string[] = [];
  const { reader, masks, later } = reading('told', '', inUse);
  reader.signedIn();
  await vi.advanceTimersByTimeAsync(0);
  inUse.push('GBPUSD');
  reader.used(['GBPUSD']);
  await vi.advanceTimersByTimeAsync(0);
  inUse.push('AUDUSD', 'US500');
  reader.used(['AUDUSD']);
  reader.used(['US500', 'GBPUSD']);
  await vi.advanceTimersByTimeAsync(59_999);
  expect(masks).toEqual(['EURUSD*', 'GBPUSD']);
  await vi.advanceTimersByTimeAsync(1);
  expect(masks.slice(2)).toEqual(['GBPUSD,AUDUSD,US500']);
  reader.used(['US500']);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(masks).toHaveLength(3);
  // A session that stands for weeks sees new holidays, too.
  later(7 * 3_600_000);
  reader.used(['US500']);
  await vi.advanceTimersByTimeAsync(0);
  expect(masks).toHaveLength(4);
});
