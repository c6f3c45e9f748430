/**
 * The broker's clock. MT5 counts seconds since 1970 *in server time*; the bridge speaks UTC. `time/get` tells the zone
 * in minutes east of Greenwich and whether the server follows summer time (`Daylight`). It does not tell the dates: the
 * server takes them from its operating system's zone, so the calendar is chosen by the zone and corrected by what the
 * clock is seen to show.
 */
export type DaylightRule = 'none' | 'eu' | 'us' | 'au';

export interface BrokerClockSettings {
  /** Minutes east of Greenwich in winter. */
  readonly zoneMinutes: number;
  readonly daylight: DaylightRule;
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** 1601-01-01 to 1970-01-01 in 100 ns (Windows FILETIME). */
const FILETIME_EPOCH = 116_444_736_000_000_000n;

/** UTC ms of the n-th (1…, or -1 = last) Sunday of a month at an hour UTC. */
function sundayUtcMs(year: number, month: number, nth: number, hourUtc: number): number {
  const anchor = nth > 0 ? Date.UTC(year, month, 1) : Date.UTC(year, month + 1, 0);
  const weekday = new Date(anchor).getUTCDay();
  const day = nth > 0 ? anchor + (((7 - weekday) % 7) + (nth - 1) * 7) * DAY_MS : anchor - weekday * DAY_MS;
  return day + hourUtc * HOUR_MS;
}

/** Beginning and end of summer time in a year, UTC ms; in the south it is summer outside of them. */
const CALENDARS: Readonly<
  Record<Exclude<DaylightRule, 'none'>, (year: number) => { from: number; to: number; inside: boolean }>
> = {
  // Last Sundays of March and October, 01:00 UTC (Directive 2000/84/EC).
  eu: (year) => ({ from: sundayUtcMs(year, 2, -1, 1), to: sundayUtcMs(year, 9, -1, 1), inside: true }),
  // Second Sunday of March and first of November, 02:00 in New York (Energy Policy Act of 2005).
  us: (year) => ({ from: sundayUtcMs(year, 2, 2, 7), to: sundayUtcMs(year, 10, 1, 6), inside: true }),
  // First Sundays of April and October, 16:00 UTC of the day before, in Sydney.
  au: (year) => ({ from: sundayUtcMs(year, 3, 1, -8), to: sundayUtcMs(year, 9, 1, -8), inside: false }),
};

const calendarYears = new Map<string, { from: number; to: number; inside: boolean }>();

/** Whether a calendar has summer time at a moment of UTC. */
function summerAt(rule: DaylightRule, utcMs: number): boolean {
  if (rule === 'none') return false;
  const year = new Date(utcMs).getUTCFullYear();
  const key = `${rule}${year}`;
  let summer = calendarYears.get(key);
  if (!summer) {
    summer = CALENDARS[rule](year);
    calendarYears.set(key, summer);
  }
  return (utcMs >= summer.from && utcMs < summer.to) === summer.inside;
}

export class BrokerClock {
  readonly settings: BrokerClockSettings;

  constructor(settings: BrokerClockSettings) {
    this.settings = settings;
  }

  /** Server time minus UTC at a moment of UTC. */
  offsetMs(utcMs: number): number {
    return this.settings.zoneMinutes * MINUTE_MS + (summerAt(this.settings.daylight, utcMs) ? HOUR_MS : 0);
  }

  toServerMs(utcMs: number): number {
    return utcMs + this.offsetMs(utcMs);
  }

  /**
   * UTC of a server time. The hour that autumn shows twice is read as its first showing; the hour that spring leaves
   * out, as if the clock had not been moved. Markets are closed in both.
   */
  toUtcMs(serverMs: number): number {
    const zoneMs = this.settings.zoneMinutes * MINUTE_MS;
    const asSummer = serverMs - zoneMs - HOUR_MS;
    return summerAt(this.settings.daylight, asSummer) ? asSummer : serverMs - zoneMs;
  }
}

/** RFC 3339 in UTC with milliseconds. */
export const rfc3339 = (utcMs: number): string => new Date(utcMs).toISOString();

/** ms since 1970 of a Windows FILETIME, which daily reports carry; `undefined` for what cannot be one. */
export function fileTimeToMs(text: string): number | undefined {
  if (!/^\d{17,19}$/.test(text)) return undefined;
  return Number((BigInt(text) - FILETIME_EPOCH) / 10_000n);
}

/**
 * The calendar that a server of this zone usually follows. Two hours east are brokers' "New York close": their midnight
 * is 17:00 in New York all the year, so they move with the United States, wherever they are.
 */
function usualRule(zoneMinutes: number): DaylightRule {
  if (zoneMinutes === 120 || zoneMinutes <= -180) return 'us';
  return zoneMinutes >= 570 ? 'au' : 'eu';
}

/**
 * Settings from `time/get`, checked against what the clock showed: for the weeks in which Europe and the United States
 * disagree, the calendar that explains the clock is the right one.
 */
export function clockSettings(time: {
  zoneMinutes: number;
  daylightOn: boolean;
  /** Server time minus UTC as measured, and when; absent = not measured. */
  measured?: { offsetMs: number; utcMs: number };
}): BrokerClockSettings {
  const { zoneMinutes, daylightOn, measured } = time;
  if (!daylightOn) return { zoneMinutes, daylight: 'none' };
  const usual = usualRule(zoneMinutes);
  if (measured) {
    const explains = (daylight: DaylightRule): boolean => {
      const expected = new BrokerClock({ zoneMinutes, daylight }).offsetMs(measured.utcMs);
      return Math.abs(expected - measured.offsetMs) < 5 * MINUTE_MS;
    };
    const other = ([usual, 'eu', 'us', 'au', 'none'] as const).find(explains);
    if (other) return { zoneMinutes, daylight: other };
  }
  return { zoneMinutes, daylight: usual };
}

/** For a server that does not answer `time/get`: a fixed offset, rounded to the quarter hours that zones come in. */
export function measuredSettings(offsetMs: number): BrokerClockSettings {
  const zoneMinutes = Math.round(offsetMs / (15 * MINUTE_MS)) * 15;
  return { zoneMinutes: Math.abs(zoneMinutes) <= 14 * 60 ? zoneMinutes : 0, daylight: 'none' };
}

/** `"1572518788 2019.10.31 10:46:28"` → server ms. */
export function parseServerTime(text: string): number | undefined {
  const seconds = /^(\d{1,11})(?: |$)/.exec(text)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}
