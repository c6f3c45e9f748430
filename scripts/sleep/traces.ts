import { readFileSync } from 'node:fs';
import type { TradingCalendar } from '../../container/contract/trading-calendar.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Twelve weeks from a Monday; New York's clocks go forward on 8 March, Good Friday is 3 April. */
export const FROM_MS = Date.UTC(2026, 1, 2);
export const TO_MS = FROM_MS + 84 * DAY_MS;

/** Forex: midnight of the server is 17:00 in New York; Monday 00:00 to Friday 24:00. */
export const CALENDAR: TradingCalendar = {
  zone: { zoneMinutes: 120, daylight: 'us' },
  markets: [
    {
      symbols: ['EURUSD'],
      hours: [1, 2, 3, 4, 5].map((day): [number, number] => [day * 1440, day * 1440 + 1440]),
      holidays: [{ year: 2026, month: 4, day: 3, open: null }],
    },
  ],
};

/** mulberry32: small, seeded, good enough for arrivals. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class Arrivals {
  readonly random: () => number;
  readonly times: number[] = [];

  constructor(seed: number) {
    this.random = randomOf(seed);
  }

  /** At random over a time, so many an hour. */
  poisson(fromMs: number, toMs: number, perHour: number): void {
    const gap = (): number => (-Math.log(1 - this.random()) / perHour) * HOUR_MS;
    if (perHour > 0) for (let at = fromMs + gap(); at < toMs; at += gap()) this.times.push(Math.floor(at));
  }

  /** So many within a short time. */
  burst(atMs: number, count: number, spanMs: number): void {
    for (let i = 0; i < count; i++) this.times.push(Math.floor(atMs + this.random() * spanMs));
  }

  between(from: number, to: number): number {
    return from + this.random() * (to - from);
  }
}

type Day = (arrivals: Arrivals, dayMs: number, weekday: number) => void;
const isWorkday = (weekday: number): boolean => weekday >= 1 && weekday <= 5;

/** What one day (UTC) of each kind of use looks like. */
const DAYS: Readonly<Record<string, Day>> = {
  /** People at desks, 7 to 16 UTC, lunch in between, now and then somebody in the evening. */
  'office CRM': (a, day, weekday) => {
    if (!isWorkday(weekday) || a.random() < 0.03) return;
    const begins = day + a.between(6.8, 7.5) * HOUR_MS;
    a.poisson(begins, day + 11 * HOUR_MS, 20);
    a.poisson(day + 11 * HOUR_MS, day + 12 * HOUR_MS, 4);
    a.poisson(day + 12 * HOUR_MS, day + a.between(15.5, 16.3) * HOUR_MS, 20);
    if (a.random() < 0.15) a.burst(day + a.between(18, 21) * HOUR_MS, 5, 10 * MINUTE_MS);
  },
  /** Clients of all zones: busy by day, thin at night and on weekends. */
  'retail app': (a, day, weekday) => {
    for (let hour = 0; hour < 24; hour++) {
      const busy = 5 + 45 * Math.max(0, Math.sin(((hour - 5) / 17) * Math.PI));
      const perHour = isWorkday(weekday) || (weekday === 0 && hour >= 22) ? busy : 0.7;
      a.poisson(day + hour * HOUR_MS, day + (hour + 1) * HOUR_MS, perHour);
    }
  },
  /** Another system calls when something happens there: bursts, at no hour in particular. */
  'bursty webhooks': (a, day, weekday) => {
    const bursts = new Arrivals(Math.floor(a.random() * 2 ** 32));
    bursts.poisson(day, day + DAY_MS, (isWorkday(weekday) ? 5 : 0.5) / 24);
    for (const at of bursts.times) a.burst(at, Math.ceil(a.between(5, 50)), 2 * MINUTE_MS);
  },
  /** Everybody at the open of the week (17:00 in New York on Sunday), little else. */
  'Monday open': (a, day, weekday) => {
    if (weekday === 0) {
      const open = day + (day < Date.UTC(2026, 2, 8) ? 22 : 21) * HOUR_MS;
      a.burst(open - 5 * MINUTE_MS, 30, 10 * MINUTE_MS);
      a.poisson(open, open + 2 * HOUR_MS, 60);
    } else if (isWorkday(weekday)) {
      for (const hour of [8, 13]) a.burst(day + a.between(hour, hour + 0.8) * HOUR_MS, 8, 5 * MINUTE_MS);
    }
  },
  /** A report every morning, and somebody who looks in on some days. */
  'nearly idle': (a, day, weekday) => {
    if (!isWorkday(weekday)) return;
    a.burst(day + 6.5 * HOUR_MS + a.between(-5, 5) * MINUTE_MS, 3, MINUTE_MS);
    if (a.random() < 0.6) a.burst(day + a.between(8, 18) * HOUR_MS, 2, 5 * MINUTE_MS);
  },
};

export const TRACES = Object.keys(DAYS);

/** Epoch ms of every request, sorted. */
export function trace(name: string, seed: number): number[] {
  const day = DAYS[name];
  if (!day) throw new Error(`There is no trace "${name}": expected one of ${TRACES.join(', ')}.`);
  const arrivals = new Arrivals(seed * 7919 + TRACES.indexOf(name));
  for (let at = FROM_MS; at < TO_MS; at += DAY_MS) day(arrivals, at, new Date(at).getUTCDay());
  return arrivals.times.filter((at) => at >= FROM_MS && at < TO_MS).sort((a, b) => a - b);
}

/** A user's log: a line a request, each an RFC 3339 time, epoch ms, or JSON with `at`, `atMs`, `time` or `timestamp`. */
export function readLog(file: string): number[] {
  const times = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line, i) => {
      const ms = momentOf(line);
      if (!Number.isFinite(ms)) throw new Error(`${file}, line ${i + 1}: expected a time, got "${line.slice(0, 60)}".`);
      return ms;
    });
  if (times.length === 0) throw new Error(`${file} holds no request.`);
  return times.sort((a, b) => a - b);
}

function momentOf(line: string): number {
  let told: unknown = line;
  if (line.startsWith('{')) {
    try {
      const { at, atMs, time, timestamp } = JSON.parse(line) as Record<string, unknown>;
      told = atMs ?? at ?? time ?? timestamp;
    } catch {
      return Number.NaN;
    }
  }
  return /^\d{12,14}$/.test(String(told)) ? Number(told) : Date.parse(String(told));
}
