import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { TradingCalendar } from '../../../../../container/contract/trading-calendar.ts';
import { decideAwake, type PolicyFacts, type PolicySettings } from '../../../../../worker/holder/policy/awake.ts';
import { TradingHours } from '../../../../../worker/holder/policy/trading-hours.ts';
import { WeeklyUse } from '../../../../../worker/holder/policy/weekly-use.ts';

/** Monday 00:00 to Friday 24:00 of a server whose midnight is 17:00 in New York. */
const FOREX: TradingCalendar = {
  zone: { zoneMinutes: 120, daylight: 'us' },
  markets: [
    {
      symbols: ['EURUSD'],
      hours: [1, 2, 3, 4, 5].map((day): [number, number] => [day * 1440, day * 1440 + 1440]),
      holidays: [
        { year: 0, month: 12, day: 25, open: null },
        { year: 2026, month: 12, day: 24, open: [0, 1200] },
      ],
    },
  ],
};
const SETTINGS: PolicySettings = {
  policy: 'calendar',
  sleepAfterMs: 600_000,
  warmLeadMs: 60_000,
  learnedThreshold: 0.5,
};
const at = (text: string): number => Date.parse(`${text}Z`);
const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString().slice(0, 16));

function decide(now: string, facts: Partial<PolicyFacts> = {}, settings: Partial<PolicySettings> = {}) {
  const verdict = decideAwake({
    nowMs: at(now),
    settings: { ...SETTINGS, ...settings },
    trading: new TradingHours(FOREX),
    use: new WeeklyUse(0),
    streams: 0,
    unsettled: 0,
    lastRequestMs: null,
    ...facts,
  });
  return { ...verdict, until: iso(verdict.untilMs), wakes: iso(verdict.wakesAtMs) };
}

it('is awake from a minute before the open to the close, and tells when it wakes next', () => {
  expect(decide('2026-07-04T12:00')).toMatchObject({ awake: false, wakes: '2026-07-05T20:59' });
  expect(decide('2026-07-05T20:59')).toMatchObject({ awake: true, until: '2026-07-10T21:00' });
  expect(decide('2026-07-08T03:00')).toMatchObject({
    awake: true,
    until: '2026-07-10T21:00',
    wakes: '2026-07-12T20:59',
    why: 'Trading hours from 2026-07-05 21:00 UTC until 2026-07-10 21:00 UTC.',
  });
});

it('the open moves with the summer time of the server', () => {
  // New York sets its clocks forward on 8 March 2026, back on 1 November.
  expect(decide('2026-03-07T12:00')).toMatchObject({ awake: false, wakes: '2026-03-08T20:59' });
  expect(decide('2026-02-28T12:00')).toMatchObject({ awake: false, wakes: '2026-03-01T21:59' });
  expect(decide('2026-10-30T12:00')).toMatchObject({ until: '2026-10-30T21:00', wakes: '2026-11-01T21:59' });
});

it('a holiday is slept through, a half day ends early', () => {
  expect(decide('2026-12-24T12:00')).toMatchObject({ until: '2026-12-24T18:00', wakes: '2026-12-27T21:59' });
  expect(decide('2026-12-25T12:00')).toMatchObject({ awake: false, wakes: '2026-12-27T21:59' });
  // In another year it is a Monday.
  expect(decide('2028-12-24T23:00')).toMatchObject({ awake: false, wakes: '2028-12-25T21:59' });
});

it('one market of two that is open is enough', () => {
  const index = { symbols: ['US500'], hours: [[0, 600]] as [number, number][], holidays: [] };
  const trading = new TradingHours({ ...FOREX, markets: [...FOREX.markets, index] });
  expect(decide('2026-07-04T21:30', { trading })).toMatchObject({ awake: true, until: '2026-07-05T07:00' });
});

it('a pause shorter than the time-out is not slept through', () => {
  const hours = [1, 2].map((day): [number, number] => [day * 1440 + 5, day * 1440 + 1440]);
  const trading = new TradingHours({ ...FOREX, markets: [{ symbols: [], hours, holidays: [] }] });
  expect(decide('2026-07-06T20:59', { trading })).toMatchObject({ awake: true, until: '2026-07-07T21:00' });
  expect(decide('2026-07-06T21:02', { trading })).toMatchObject({ awake: true, until: '2026-07-07T21:00' });
  // Before the first open of the week nothing paused.
  expect(decide('2026-07-05T20:58', { trading })).toMatchObject({ awake: false, wakes: '2026-07-05T21:04' });
});

it('a market that never closes has no end in sight, by calendar, by use and with streams', () => {
  const always = { symbols: ['BTCUSD'], hours: [[0, 10_080]] as [number, number][], holidays: [] };
  const trading = new TradingHours({ ...FOREX, markets: [always] });
  const endless = { awake: true, until: null, wakes: null };
  expect(decide('2026-07-06T20:59', { trading })).toMatchObject({ ...endless, why: 'Trading hours around the clock.' });
  // It pauses for minutes.
  const daily = { ...always, hours: [0, 1, 2, 3, 4, 5, 6].map((day) => [day * 1440 + 5, day * 1440 + 1440] as const) };
  expect(
    decide('2026-07-06T20:59', {
      trading: new TradingHours({ ...FOREX, markets: [{ ...daily, hours: daily.hours.map(([a, b]) => [a, b]) }] }),
    }),
  ).toMatchObject(endless);
  const use = new WeeklyUse(at('2026-06-01T00:00'));
  for (let hour = 0; hour < 3 * 168; hour++) use.note(at('2026-06-01T00:00') + hour * 3_600_000);
  expect(decide('2026-06-22T12:00', { use }, { policy: 'learned' })).toMatchObject({
    ...endless,
    why: 'Requests usually come from 2026-06-22 12:00 UTC around the clock.',
  });
  const streams = decide('2026-07-06T20:59', { trading, streams: 2, use: new WeeklyUse(0) }, { policy: 'learned' });
  expect(streams).toMatchObject({ ...endless, why: '2 streams are open in trading hours around the clock.' });
});

it('learned: streams that are kept while the market is closed are served when it opens, whenever requests usually come', () => {
  const facts = { streams: 1, use: new WeeklyUse(0) };
  expect(decide('2026-07-04T12:00', facts, { policy: 'learned' })).toMatchObject({
    awake: false,
    wakes: '2026-07-05T20:59',
  });
});

const minutesOfWeek = fc
  .uniqueArray(fc.integer({ min: 0, max: 168 * 4 }), { minLength: 2, maxLength: 10 })
  .map((quarters) => quarters.sort((a, b) => a - b).map((quarter) => quarter * 15))
  .map((edges) => edges.flatMap((edge, i): [number, number][] => (i % 2 === 1 ? [[edges[i - 1] ?? 0, edge]] : [])));

it('what it says of the time to come is what it says then: awake to the end, asleep to the start, whatever the hours', () => {
  const rules = fc.record({
    hours: minutesOfWeek,
    used: fc.uniqueArray(fc.integer({ min: 0, max: 167 }), { maxLength: 40 }),
    policy: fc.constantFrom('calendar', 'learned', 'fixed'),
    nowMinutes: fc.integer({ min: 0, max: 4 * 7 * 1440 }),
    idleMinutes: fc.option(fc.integer({ min: 0, max: 20 })),
    streams: fc.integer({ min: 0, max: 1 }),
    part: fc.double({ min: 0, max: 0.999, noNaN: true }),
  });
  fc.assert(
    fc.property(rules, ({ hours, used, policy, nowMinutes, idleMinutes, streams, part }) => {
      const use = new WeeklyUse(at('2026-06-01T00:00'));
      for (const week of [0, 1, 2])
        for (const hour of used) use.note(at('2026-06-01T00:00') + (week * 168 + hour) * 3_600_000);
      const nowMs = at('2026-10-12T00:00') + nowMinutes * 60_000;
      const facts: PolicyFacts = {
        nowMs,
        settings: { ...SETTINGS, policy },
        trading: new TradingHours({ zone: FOREX.zone, markets: [{ symbols: [], hours, holidays: [] }] }),
        use,
        streams,
        unsettled: 0,
        lastRequestMs: idleMinutes === null ? null : nowMs - idleMinutes * 60_000,
      };
      const isAwakeAt = (ms: number): boolean => decideAwake({ ...facts, nowMs: Math.floor(ms) }).awake;
      const { awake, untilMs, wakesAtMs } = decideAwake(facts);
      if (awake && untilMs !== null) {
        expect(untilMs).toBeGreaterThan(nowMs);
        expect(isAwakeAt(nowMs + part * (untilMs - nowMs))).toBe(true);
        expect(isAwakeAt(untilMs)).toBe(false);
      }
      const asleepFromMs = awake ? untilMs : nowMs;
      if (asleepFromMs !== null && wakesAtMs !== null) {
        expect(wakesAtMs).toBeGreaterThan(asleepFromMs);
        expect(isAwakeAt(asleepFromMs + part * (wakesAtMs - asleepFromMs))).toBe(false);
        expect(isAwakeAt(wakesAtMs)).toBe(true);
      }
    }),
  );
});

it.each([
  ['an unsettled operation keeps it, with no end known', { unsettled: 2 }, { awake: true, until: null }],
  ['a request keeps it for the time-out', { lastRequestMs: at('2026-07-04T11:55') }, { until: '2026-07-04T12:05' }],
  ['an old request does not', { lastRequestMs: at('2026-07-04T11:50') }, { awake: false }],
  ['open streams do not outside trading hours: the hub keeps them', { streams: 3 }, { awake: false }],
  ['open streams do where the calendar is not known', { streams: 3, trading: null }, { awake: true, until: null }],
] as const)('on a Saturday %s', (_, facts, expected) => {
  expect(decide('2026-07-04T12:00', facts)).toMatchObject(expected);
});

it('fixed knows no calendar', () => {
  const fixed = { policy: 'fixed' } as const;
  expect(decide('2026-07-08T12:00', {}, fixed)).toMatchObject({ awake: false, wakes: null });
  expect(decide('2026-07-04T12:00', { streams: 1 }, fixed)).toMatchObject({ awake: true, until: null });
});

it('learned: awake in the hours that were used in most weeks, over restarts, and asleep in trading hours that were not', () => {
  let use = new WeeklyUse(at('2026-06-01T00:00'));
  const ask = (now: string) => decide(now, { use }, { policy: 'learned' });
  expect(ask('2026-06-03T12:00')).toMatchObject({ awake: true, why: expect.stringContaining('rading hours') });
  for (const day of ['06-03', '06-10', '06-17'])
    for (const hour of ['08', '09']) expect(use.note(at(`2026-${day}T${hour}:20`))).toBe(true);
  expect(use.note(at('2026-06-17T09:50'))).toBe(false);
  use.note(at('2026-06-04T15:00'));
  use = new WeeklyUse(0, JSON.parse(JSON.stringify(use.record)));
  expect(ask('2026-06-23T12:00')).toMatchObject({ awake: false, wakes: '2026-06-24T07:59' });
  expect(ask('2026-06-24T08:00')).toMatchObject({ awake: true, until: '2026-06-24T10:00', wakes: '2026-07-01T07:59' });
  // Nobody comes any more: what was seen fades.
  expect(ask('2026-09-02T08:00')).toMatchObject({ awake: false, wakes: null });
});
