import type { TradingCalendar } from '../../container/contract/trading-calendar.ts';
import { TradingHours } from '../../worker/holder/policy/trading-hours.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../sleep/traces.ts';

const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] as const;
/** A year has both times of the server, summer and winter; Cloudflare's cron knows UTC only. */
const YEAR_DAYS = 371;

export interface CronOptions {
  readonly fromMs: number;
  /** Between firings. */
  readonly everyMinutes: number;
  /** After the full hour: each of several brokers has another. */
  readonly offsetMinutes: number;
}

/**
 * Cron lines that fire all through the trading hours of the year to come, and at least once in the `everyMinutes` before
 * each open.
 */
export function cronLines(calendar: TradingCalendar, { fromMs, everyMinutes, offsetMinutes }: CronOptions): string[] {
  const hours = hoursOf(new TradingHours(calendar), fromMs, everyMinutes * MINUTE_MS);
  const byHours = new Map<string, number[]>();
  for (const [weekday, ofDay] of hours.entries()) {
    const text = hoursText(ofDay);
    if (text !== undefined) byHours.set(text, [...(byHours.get(text) ?? []), weekday]);
  }
  const offset = offsetMinutes % everyMinutes;
  const minutes = everyMinutes === 1 ? '*' : offset === 0 ? `*/${everyMinutes}` : `${offset}-59/${everyMinutes}`;
  return [...byHours].map(([text, days]) => `${minutes} ${text} * * ${daysText(days)}`);
}

/** For each day of the week (UTC) the hours in which the market is open or about to open, in any week of the year. */
function hoursOf(trading: TradingHours, fromMs: number, leadMs: number): Set<number>[] {
  const found = WEEKDAYS.map(() => new Set<number>());
  const endMs = fromMs + YEAR_DAYS * DAY_MS;
  let atMs = Math.floor(fromMs / HOUR_MS) * HOUR_MS;
  while (atMs < endMs) {
    const window = trading.currentOrNext(atMs);
    if (window === undefined) {
      atMs += 7 * DAY_MS;
      continue;
    }
    const firstMs = Math.max(atMs, Math.floor((window.openMs - leadMs) / HOUR_MS) * HOUR_MS);
    const lastMs = Math.min(window.closeMs, endMs);
    for (let hourMs = firstMs; hourMs < lastMs; hourMs += HOUR_MS) {
      const hour = new Date(hourMs);
      found[hour.getUTCDay()]?.add(hour.getUTCHours());
    }
    atMs = Math.max(atMs + HOUR_MS, Math.ceil(lastMs / HOUR_MS) * HOUR_MS);
  }
  return found;
}

function hoursText(hours: ReadonlySet<number>): string | undefined {
  if (hours.size === 0) return undefined;
  if (hours.size === 24) return '*';
  return runs([...hours].sort((a, b) => a - b))
    .map(([from, to]) => (from === to ? String(from) : `${from}-${to}`))
    .join(',');
}

function daysText(days: readonly number[]): string {
  if (days.length === WEEKDAYS.length) return '*';
  const name = (day: number): string => WEEKDAYS[day] ?? '';
  return runs(days)
    .map(([from, to]) => (from === to ? name(from) : `${name(from)}-${name(to)}`))
    .join(',');
}

/** Sorted numbers as ranges of neighbours. */
function runs(numbers: readonly number[]): [from: number, to: number][] {
  const found: [number, number][] = [];
  for (const value of numbers) {
    const last = found.at(-1);
    if (last !== undefined && last[1] === value - 1) last[1] = value;
    else found.push([value, value]);
  }
  return found;
}
