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
    why: 'trading hours from 2026-07-05 21:00 UTC to 2026-07-10 21:00 UTC.',
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
  // A market that never closes: the plan ends somewhere.
  const always = { symbols: [], hours: [[0, 10_080]] as [number, number][], holidays: [] };
  expect(decide('2026-07-06T20:59', { trading: new TradingHours({ ...FOREX, markets: [always] }) }).awake).toBe(true);
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
  expect(ask('2026-06-03T12:00')).toMatchObject({ awake: true, why: expect.stringContaining('trading hours') });
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
