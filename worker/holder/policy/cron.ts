const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const WEEK_MS = 7 * DAY_MS;

/** A field of a cron line: its bounds, and the names of its values from the lowest on. */
interface Field {
  readonly from: number;
  readonly to: number;
  readonly names?: readonly string[];
}

/**
 * Minute, hour, day, month, weekday; UTC, and 1 = Sunday
 * (developers.cloudflare.com/workers/configuration/cron-triggers).
 */
const FIELDS: readonly [Field, Field, Field, Field, Field] = [
  { from: 0, to: 59 },
  { from: 0, to: 23 },
  { from: 1, to: 31 },
  { from: 1, to: 12, names: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'] },
  { from: 1, to: 7, names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] },
];

/**
 * When a cron line fires next after a moment, epoch ms, within the week that follows. `undefined`: it does not, or it is
 * written in a way that is not read here (`L`, `W`, `#`, a day and a weekday together).
 */
export function nextFiring(line: string, afterMs: number): number | undefined {
  const parts = line.trim().toUpperCase().split(/\s+/);
  if (parts.length !== FIELDS.length || (isBound(parts[2]) && isBound(parts[4]))) return undefined;
  const sets: (ReadonlySet<number> | undefined)[] = FIELDS.map((field, i) => valuesOf(parts[i] ?? '', field));
  const [minutes, hours, days, months, weekdays] = sets;
  if (!minutes || !hours || !days || !months || !weekdays) return undefined;
  const isDay = (date: Date): boolean =>
    days.has(date.getUTCDate()) && months.has(date.getUTCMonth() + 1) && weekdays.has(date.getUTCDay() + 1);
  const endMs = afterMs + WEEK_MS;
  let at = (Math.floor(afterMs / MINUTE_MS) + 1) * MINUTE_MS;
  while (at <= endMs) {
    const date = new Date(at);
    // Days on which it does not fire are left out whole: every start of a Durable Object reckons this.
    if (!isDay(date)) at = (Math.floor(at / DAY_MS) + 1) * DAY_MS;
    else if (minutes.has(date.getUTCMinutes()) && hours.has(date.getUTCHours())) return at;
    else at += MINUTE_MS;
  }
  return undefined;
}

const isBound = (part: string | undefined): boolean => part !== '*' && part !== '?';

/** `*`, `5`, `MON-FRI`, `1-59/5`, several by comma. */
function valuesOf(text: string, field: Field): ReadonlySet<number> | undefined {
  const found = new Set<number>();
  for (const part of text.split(',')) {
    const [range = '', stepText, ...more] = part.split('/');
    const step = stepText === undefined ? 1 : Number(stepText);
    const bounds = boundsOf(range, field, stepText !== undefined);
    if (!bounds || more.length > 0 || !Number.isInteger(step) || step < 1) return undefined;
    const [from, to] = bounds;
    // `FRI-MON` goes round.
    const last = to < from ? to + (field.to - field.from + 1) : to;
    for (let value = from; value <= last; value += step)
      found.add(value > field.to ? value - field.to - 1 + field.from : value);
  }
  return found;
}

function boundsOf(range: string, field: Field, hasStep: boolean): [number, number] | undefined {
  if (range === '*' || range === '?') return [field.from, field.to];
  const [from, to, ...more] = range.split('-').map((text) => valueOf(text, field));
  if (from === undefined || more.length > 0 || (range.includes('-') && to === undefined)) return undefined;
  return [from, to ?? (hasStep ? field.to : from)];
}

function valueOf(text: string, { from, to, names }: Field): number | undefined {
  const named = names?.indexOf(text) ?? -1;
  if (named >= 0) return named + from;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  return value >= from && value <= to ? value : undefined;
}
