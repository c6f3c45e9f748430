/** How figures are written. Pure, so that a test holds each against its meaning. */

export type Zone = 'utc' | 'local';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (value: number): string => String(value).padStart(2, '0');

/** `14:05:09` today, `27 Nov 14:05` on another day; without a word on the zone, which the page says once. */
export function clock(atMs: number, zone: Zone, nowMs: number): string {
  const [at, now] = [partsOf(atMs, zone), partsOf(nowMs, zone)];
  const time = `${two(at.hours)}:${two(at.minutes)}`;
  if (at.day === now.day && at.month === now.month && at.year === now.year) return `${time}:${two(at.seconds)}`;
  return `${at.day} ${MONTHS[at.month] ?? ''} ${at.year === now.year ? '' : `${at.year} `}${time}`;
}

function partsOf(atMs: number, zone: Zone) {
  const at = new Date(atMs);
  return zone === 'utc'
    ? {
        year: at.getUTCFullYear(),
        month: at.getUTCMonth(),
        day: at.getUTCDate(),
        hours: at.getUTCHours(),
        minutes: at.getUTCMinutes(),
        seconds: at.getUTCSeconds(),
      }
    : {
        year: at.getFullYear(),
        month: at.getMonth(),
        day: at.getDate(),
        hours: at.getHours(),
        minutes: at.getMinutes(),
        seconds: at.getSeconds(),
      };
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `0 s`, `48 s`, `12 min`, `3 h 20 min`, `5 d 2 h`: to the second below a minute, two units at most. */
export function duration(ms: number): string {
  if (ms < MINUTE) return `${Math.max(0, Math.floor(ms / SECOND))} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  const [big, small, bigUnit, smallUnit] = ms < DAY ? [HOUR, MINUTE, 'h', 'min'] : [DAY, HOUR, 'd', 'h'];
  const rest = Math.floor((ms % big) / small);
  return `${Math.floor(ms / big)} ${bigUnit}${rest === 0 ? '' : ` ${rest} ${smallUnit}`}`;
}

/** Milliseconds to three significant digits: `0.58 ms`, `12.4 ms`, `1,250 ms`. */
export function milliseconds(ms: number): string {
  const digits = ms < 1 ? 2 : ms < 100 ? 1 : 0;
  return `${grouped(ms.toFixed(digits))} ms`;
}

/** `1,234,567`. */
export const count = (value: number): string => grouped(String(Math.round(value)));

/** A share of 1 as `97.3 %`. */
export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

export const megabytes = (bytes: number): string => `${Math.round(bytes / 1_000_000)} MB`;

function grouped(text: string): string {
  const [whole = '', fraction] = text.split('.');
  const withCommas = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? withCommas : `${withCommas}.${fraction}`;
}

/** `2` with `order` → `2 orders`; `1` → `1 order`. */
export const counted = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

/** `EURUSD, GBPUSD and 32 more`: the first of a list in words. */
export function firstOf(names: readonly string[], shown: number): string {
  const rest = names.length - shown;
  return rest > 0 ? `${names.slice(0, shown).join(', ')} and ${count(rest)} more` : names.join(', ');
}

/** The value at a share of a list, as the bridge reckons its own quantiles; `null` of nothing. */
export function quantile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null;
}

const SHOWN_CHARACTERS = 160;

/** Says nothing to a person: which process it was, and instants that stand beside their text. */
const LEFT_OUT = /^instanceId$|Ms$/;

/**
 * Data of an event: `symbol EURUSD, volume 0.10`; what has parts of its own, and names of processes, are left to
 * `GET /v1/events`.
 */
export function inWords(data: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(data).flatMap(([name, value]) => {
    if (LEFT_OUT.test(name) || value === '') return [];
    if (typeof value === 'string') return [`${name} ${value.replace(/\.$/, '')}`];
    return typeof value === 'number' || typeof value === 'boolean' ? [`${name} ${value}`] : [];
  });
  const text = parts.join(', ');
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS - 1)}…` : text;
}
