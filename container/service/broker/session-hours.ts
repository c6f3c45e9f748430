import { Fields, isWireObject, type WireObject } from '../../webapi/fields.ts';

const DAY_MINUTES = 1440;
const WEEK_MINUTES = 7 * DAY_MINUTES;
const MINUTE_MS = 60_000;
/** 1970-01-01 was a Thursday; MT5's weeks begin on Sunday. */
const EPOCH_WEEKDAY = 4;

/** When a symbol is quoted or traded: minutes of the server's week, from inclusive, to exclusive, sorted. */
export type SessionHours = readonly (readonly [from: number, to: number])[];

/** `SessionsQuotes[7][]` or `SessionsTrades[7][]` of a symbol; `undefined` where it is missing or says nothing. */
export function sessionHours(symbol: WireObject, name: 'SessionsQuotes' | 'SessionsTrades'): SessionHours | undefined {
  const days = new Fields(symbol).take(name);
  if (!Array.isArray(days)) return undefined;
  const hours: [number, number][] = [];
  for (const [day, sessions] of days.entries()) {
    for (const session of Array.isArray(sessions) ? sessions : []) {
      if (!isWireObject(session)) continue;
      const fields = new Fields(session);
      const open = fields.integer('Open');
      const close = fields.integer('Close');
      if (open === undefined || close === undefined || close <= open) continue;
      hours.push([day * DAY_MINUTES + open, day * DAY_MINUTES + close]);
    }
  }
  return hours.length === 0 ? undefined : hours.sort((a, b) => a[0] - b[0]);
}

const minuteOfWeek = (serverMs: number): number =>
  (Math.floor(serverMs / MINUTE_MS) + EPOCH_WEEKDAY * DAY_MINUTES) % WEEK_MINUTES;

export function isInSession(hours: SessionHours, serverMs: number): boolean {
  const minute = minuteOfWeek(serverMs);
  return hours.some(([from, to]) => minute >= from && minute < to);
}

/** Milliseconds until the next session begins; 0 inside one. */
export function untilSessionMs(hours: SessionHours, serverMs: number): number {
  if (isInSession(hours, serverMs)) return 0;
  const minute = minuteOfWeek(serverMs);
  const next = hours.find(([from]) => from > minute)?.[0] ?? (hours[0]?.[0] ?? 0) + WEEK_MINUTES;
  return (next - minute) * MINUTE_MS - (serverMs % MINUTE_MS);
}
