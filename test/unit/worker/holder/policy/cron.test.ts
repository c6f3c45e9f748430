import { expect, it } from 'vitest';
import { nextFiring } from '../../../../../worker/holder/policy/cron.ts';
import { type CronRecord, CronWatch } from '../../../../../worker/holder/policy/cron-watch.ts';

const at = (text: string): number => Date.parse(`${text}Z`);
const next = (line: string, after: string): string | undefined => {
  const ms = nextFiring(line, at(after));
  return ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16);
};

// 2026-07-03 is a Friday.
it.each([
  ['*/5 * * * SUN-FRI', '2026-07-03T12:00', '2026-07-03T12:05'],
  ['*/5 * * * SUN-FRI', '2026-07-03T23:55:30', '2026-07-05T00:00'],
  ['59 21 * * SUN', '2026-07-03T12:00', '2026-07-05T21:59'],
  ['59 21 * * 1', '2026-07-03T12:00', '2026-07-05T21:59'],
  ['3-59/20 8,10 * * MON', '2026-07-06T08:43', '2026-07-06T10:03'],
  ['30/10 8 * * *', '2026-07-06T08:51', '2026-07-07T08:30'],
  ['0 0 * * FRI-SUN', '2026-07-04T00:00', '2026-07-05T00:00'],
  ['0 6 4 JUL ?', '2026-07-03T12:00', '2026-07-04T06:00'],
  // Not within a week, or not read here.
  ['0 0 1 1 *', '2026-07-03T12:00', undefined],
  ['0 0 L * *', '2026-07-03T12:00', undefined],
  ['0 0 1 * MON', '2026-07-03T12:00', undefined],
  ['61 * * * *', '2026-07-03T12:00', undefined],
  ['* * * *', '2026-07-03T12:00', undefined],
  ['', '2026-07-03T12:00', undefined],
])('"%s" after %s fires at %s', (line, after, expected) => {
  expect(next(line, after)).toBe(expected);
});

it('a firing that was left out is told, one that comes no more is told once, over restarts', () => {
  const told: string[] = [];
  let record: CronRecord = {};
  const watch = (): CronWatch =>
    new CronWatch({
      record,
      write: (changed) => (record = changed),
      missed: (_dueMs, reason) => told.push(reason),
    });
  const line = '*/5 * * * *';
  watch().fired({ line, atMs: at('2026-07-03T12:00') });
  watch().fired({ line, atMs: at('2026-07-03T12:05:00.700') });
  watch().look(at('2026-07-03T12:14'));
  expect(told).toEqual([]);
  watch().fired({ line, atMs: at('2026-07-03T12:20') });
  expect(told).toEqual(['The cron "*/5 * * * *" did not fire at 2026-07-03T12:10:00.000Z.']);
  const last = watch();
  last.look(at('2026-07-03T12:31'));
  last.look(at('2026-07-03T12:32'));
  watch().look(at('2026-07-03T12:33'));
  expect(told.slice(1)).toEqual([
    expect.stringContaining('did not fire at 2026-07-03T12:25:00.000Z and has not since'),
  ]);
  expect(record).toEqual({});
});
