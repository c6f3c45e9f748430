/** Time of the trade server: a zone with a daylight rule. Server times are UTC milliseconds plus the zone's offset. */

export type DaylightRule = 'none' | 'eu' | 'us';

export interface ServerZone {
  /** Offset from UTC without daylight saving. */
  readonly offsetMinutes: number;
  readonly daylight: DaylightRule;
}

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** UTC instant of 00:00 on the nth (1-based; 0 = last) Sunday of a month (0-based). */
function sundayOfMonth(year: number, month: number, nth: number): number {
  if (nth === 0) {
    const last = Date.UTC(year, month + 1, 0);
    return last - new Date(last).getUTCDay() * DAY_MS;
  }
  const first = Date.UTC(year, month, 1);
  return first + (((7 - new Date(first).getUTCDay()) % 7) + (nth - 1) * 7) * DAY_MS;
}

/**
 * Whether daylight time holds at a UTC instant. EU: last Sunday of March to last Sunday of October, changes at 01:00
 * UTC. US: second Sunday of March 07:00 UTC to first Sunday of November 06:00 UTC (02:00 in New York).
 */
export function daylightActive(utcMs: number, rule: DaylightRule): boolean {
  if (rule === 'none') return false;
  const year = new Date(utcMs).getUTCFullYear();
  if (rule === 'eu') {
    return utcMs >= sundayOfMonth(year, 2, 0) + HOUR_MS && utcMs < sundayOfMonth(year, 9, 0) + HOUR_MS;
  }
  return utcMs >= sundayOfMonth(year, 2, 2) + 7 * HOUR_MS && utcMs < sundayOfMonth(year, 10, 1) + 6 * HOUR_MS;
}

export function serverFromUtc(utcMs: number, zone: ServerZone): number {
  return utcMs + zone.offsetMinutes * MINUTE_MS + (daylightActive(utcMs, zone.daylight) ? HOUR_MS : 0);
}

/** The UTC instant of a server time; of the repeated hour in autumn, the one without daylight time. */
export function utcFromServer(serverMs: number, zone: ServerZone): number {
  const standard = serverMs - zone.offsetMinutes * MINUTE_MS;
  if (serverFromUtc(standard, zone) === serverMs) return standard;
  return standard - HOUR_MS;
}

/** Start of the server day. */
export function dayStart(serverMs: number): number {
  return Math.floor(serverMs / DAY_MS) * DAY_MS;
}

/** 0 = Sunday … 6 = Saturday, in server time. */
export function weekday(serverMs: number): number {
  return (((Math.floor(serverMs / DAY_MS) + 4) % 7) + 7) % 7;
}

export function minuteOfDay(serverMs: number): number {
  return Math.floor((serverMs - dayStart(serverMs)) / MINUTE_MS);
}

/** `2019.10.31 10:46:28`, as time/server writes it. */
export function formatServerTime(serverMs: number): string {
  return new Date(serverMs).toISOString().slice(0, 19).replaceAll('-', '.').replace('T', ' ');
}

/** 100 ns since 1601, the unit of the daily records' `Timestamp`. */
export function fileTime(serverMs: number): string {
  return String((BigInt(Math.floor(serverMs)) + 11_644_473_600_000n) * 10_000n);
}
