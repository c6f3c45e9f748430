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
