import { z } from 'zod';

const DAY_MINUTES = 1440;
/** Minutes, from inclusive, to exclusive. */
const minutes = (max: number) =>
  z.tuple([z.int().min(0).max(max), z.int().min(0).max(max)]).refine(([from, to]) => from <= to, 'expected from ≤ to');

/** A day on which sessions are cut, as MT5's holidays are: the market keeps `open` of it, or nothing. */
const holidaySchema = z.object({
  /** 0 = every year. */
  year: z.int().min(0).max(9999),
  month: z.int().min(1).max(12),
  day: z.int().min(1).max(31),
  /** Minutes of the server's day in which sessions still count (`WorkFrom`, `WorkTo`); null = closed all day. */
  open: minutes(DAY_MINUTES).nullable(),
});
export type Holiday = Readonly<z.infer<typeof holidaySchema>>;

/** Symbols that open and close together. */
const marketSchema = z.object({
  symbols: z.array(z.string()).readonly(),
  /** Minutes of the server's week, which begins on Sunday; sorted. */
  hours: z.array(minutes(7 * DAY_MINUTES)).readonly(),
  holidays: z.array(holidaySchema).readonly(),
});
export type Market = Readonly<z.infer<typeof marketSchema>>;

/** When the broker trades the symbols in use, in the server's own time: the rule, from which any week can be told. */
export const tradingCalendarSchema = z.object({
  /** Minutes east of Greenwich in winter, and whose calendar of summer time the server follows. */
  zone: z.object({ zoneMinutes: z.int().min(-840).max(840), daylight: z.enum(['none', 'eu', 'us', 'au']) }),
  markets: z.array(marketSchema).readonly(),
});
export type TradingCalendar = Readonly<z.infer<typeof tradingCalendarSchema>>;

/** Epoch ms, from inclusive, to exclusive. */
export interface Window {
  readonly openMs: number;
  readonly closeMs: number;
}

const DAY_MS = DAY_MINUTES * 60_000;

/** Whether a holiday is on a day of the server's, counted from 1970. */
export function isOn(holiday: Holiday, day: number): boolean {
  const date = new Date(day * DAY_MS);
  return (
    (holiday.year === 0 || holiday.year === date.getUTCFullYear()) &&
    holiday.month === date.getUTCMonth() + 1 &&
    holiday.day === date.getUTCDate()
  );
}

/** Sessions of one day of the server's, counted from 1970, as minutes of that day. */
export function sessionsOf(
  { hours, holidays }: Pick<Market, 'hours' | 'holidays'>,
  day: number,
): [from: number, to: number][] {
  const weekStart = new Date(day * DAY_MS).getUTCDay() * DAY_MINUTES;
  const holiday = holidays.find((one) => isOn(one, day));
  const [first, last] = holiday === undefined ? [0, DAY_MINUTES] : (holiday.open ?? [0, 0]);
  return hours
    .map(([from, to]): [number, number] => [Math.max(from - weekStart, first), Math.min(to - weekStart, last)])
    .filter(([from, to]) => from < to);
}

/** By time; those that touch are one. */
export function merged(windows: readonly Window[]): Window[] {
  const joined: Window[] = [];
  for (const window of windows.toSorted((a, b) => a.openMs - b.openMs)) {
    const last = joined.at(-1);
    if (last === undefined || window.openMs > last.closeMs) joined.push(window);
    else joined[joined.length - 1] = { openMs: last.openMs, closeMs: Math.max(last.closeMs, window.closeMs) };
  }
  return joined;
}
