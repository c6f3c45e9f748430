import { expect, it } from 'vitest';
import { bestFixed, rowsOf } from '../../../scripts/sleep/report.ts';
import { COLD_START_MS, DRAIN_MS, optimum, simulate } from '../../../scripts/sleep/simulate.ts';
import { policy } from '../../../scripts/sleep/strategies.ts';
import { CALENDAR, DAY_MS, FROM_MS, HOUR_MS, MINUTE_MS, TO_MS, trace, TRACES } from '../../../scripts/sleep/traces.ts';

const minutes = (...at: number[]): number[] => at.map((one) => FROM_MS + one * MINUTE_MS);

it('a fixed time-out by hand: cold hits, those who wait behind them, time awake', () => {
  const span = { fromMs: FROM_MS, toMs: FROM_MS + DAY_MS, countFromMs: FROM_MS };
  const requests = minutes(60, 60.01, 65, 90);
  const isTrading = (ms: number): boolean => ms < FROM_MS + 80 * MINUTE_MS;
  const fixed = policy({ policy: 'fixed', sleepAfterMs: 10 * MINUTE_MS }, CALENDAR, FROM_MS);
  expect(simulate(fixed, requests, span, isTrading)).toEqual({
    requests: 4,
    coldInTrading: 1,
    coldOutside: 1,
    addedP95Ms: COLD_START_MS,
    // From 60 to 75 and from 90 to 100, each with its drain.
    awakeMs: 25 * MINUTE_MS + 2 * DRAIN_MS,
    spanMs: DAY_MS,
  });
  // 0.6 s between the first two are waited through, the others are started for.
  expect(optimum(requests, span).awakeMs).toBe(600 + 3 * (COLD_START_MS + DRAIN_MS));
});

it('a warm lead shorter than the start leaves the first request waiting for the rest of it', () => {
  const span = { fromMs: FROM_MS, toMs: FROM_MS + 7 * DAY_MS, countFromMs: FROM_MS };
  const opensMs = FROM_MS + 6 * DAY_MS + 22 * HOUR_MS;
  const at = (warmLeadMs: number) =>
    simulate(policy({ policy: 'calendar', warmLeadMs }, CALENDAR, FROM_MS), [opensMs], span, () => true);
  expect(at(MINUTE_MS)).toMatchObject({ coldInTrading: 0, addedP95Ms: 0 });
  expect(at(400)).toMatchObject({ coldInTrading: 0, addedP95Ms: COLD_START_MS - 400 });
});

it.each(TRACES)('%s: what scripts/sleep/results/sleep.md says holds for another seed', (name) => {
  const span = { fromMs: FROM_MS, toMs: TO_MS, countFromMs: FROM_MS + 28 * DAY_MS };
  const rows = rowsOf(() => trace(name, 201), [201], CALENDAR, span);
  const of = (policyName: string) => {
    const row = rows.find((one) => one.name === policyName);
    return row ? { cold: row.coldInTrading + row.coldOutside, ...row } : expect.fail(policyName);
  };
  expect(of('calendar').coldInTrading).toBe(0);
  expect(of('always on').cold).toBe(0);
  const fixed = bestFixed(rows, of('learned').awakeHours);
  expect(of('learned').cold).toBeLessThanOrEqual((fixed?.coldInTrading ?? 0) + (fixed?.coldOutside ?? 0));
  expect(of('optimum').awakeHours).toBeLessThan(of('fixed 1 min').awakeHours);
});
