import type { TradingCalendar } from '../../container/contract/trading-calendar.ts';
import { decideAwake, LEARNED_THRESHOLD, type PolicySettings } from '../../worker/holder/policy/awake.ts';
import { TradingHours } from '../../worker/holder/policy/trading-hours.ts';
import { WeeklyUse } from '../../worker/holder/policy/weekly-use.ts';
import type { Strategy } from './simulate.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from './traces.ts';

export const FIXED_MINUTES = [1, 5, 10, 30, 60] as const;
/** Defaults of `SLEEP_AFTER` and `WARM_LEAD_SECONDS`. */
const SLEEP_AFTER_MS = 10 * MINUTE_MS;
const WARM_LEAD_MS = MINUTE_MS;

/** The policy of the Durable Object itself, over a calendar. */
export function policy(
  settings: Pick<PolicySettings, 'policy'> & Partial<PolicySettings>,
  calendar: TradingCalendar,
  fromMs: number,
): Strategy {
  const trading = new TradingHours(calendar);
  const use = new WeeklyUse(fromMs);
  const full = {
    sleepAfterMs: SLEEP_AFTER_MS,
    warmLeadMs: WARM_LEAD_MS,
    learnedThreshold: LEARNED_THRESHOLD,
    ...settings,
  };
  return {
    name: full.policy === 'fixed' ? `fixed ${full.sleepAfterMs / MINUTE_MS} min` : full.policy,
    decide: (nowMs, lastRequestMs) =>
      decideAwake({ nowMs, settings: full, trading, use, streams: 0, unsettled: 0, lastRequestMs }),
    note: (nowMs) => void use.note(nowMs),
  };
}

const ALWAYS: Strategy = {
  name: 'always on',
  decide: () => ({ awake: true, untilMs: null, wakesAtMs: null }),
};

// Every five minutes of `21-23 * * SUN`, `* * * MON-THU`, `0-21 * * FRI`: Cloudflare's cron knows UTC only.
const CRON: Strategy = {
  name: '24/5 cron',
  decide: (nowMs, lastRequestMs) => {
    const sunday = Math.floor((nowMs / DAY_MS + 4) / 7) * 7 * DAY_MS - 4 * DAY_MS;
    const opensMs = sunday + 21 * HOUR_MS;
    // The last line of Friday is at 21:55.
    const closesMs = sunday + 5 * DAY_MS + 21 * HOUR_MS + 55 * MINUTE_MS + SLEEP_AFTER_MS;
    const idleAtMs = lastRequestMs === null ? 0 : lastRequestMs + SLEEP_AFTER_MS;
    const untilMs = Math.max(idleAtMs, nowMs >= opensMs ? closesMs : 0);
    const wakesAtMs = nowMs < opensMs ? opensMs : opensMs + 7 * DAY_MS;
    return untilMs > nowMs ? { awake: true, untilMs, wakesAtMs } : { awake: false, untilMs: null, wakesAtMs };
  },
};

export const strategies = (calendar: TradingCalendar, fromMs: number): Strategy[] => [
  ALWAYS,
  ...FIXED_MINUTES.map((minutes) => policy({ policy: 'fixed', sleepAfterMs: minutes * MINUTE_MS }, calendar, fromMs)),
  CRON,
  policy({ policy: 'calendar' }, calendar, fromMs),
  policy({ policy: 'learned' }, calendar, fromMs),
];
