import { z } from 'zod';

export const HOUR_MS = 3_600_000;
const WEEK_HOURS = 168;
/** After so many weeks what was seen counts half: habits change, one week of holidays does not change them. */
const HALF_LIFE_WEEKS = 4;
const DECAY = 0.5 ** (1 / HALF_LIFE_WEEKS);

/** What is kept: for each hour of the week the weight of the weeks in which a request came in it. */
export const weeklyUseSchema = z.object({
  sinceMs: z.number(),
  hours: z.record(z.string(), z.object({ weight: z.number(), week: z.int() })),
});
export type WeeklyUseRecord = Readonly<z.infer<typeof weeklyUseSchema>>;

export interface UsualHour {
  /** From Sunday 00:00 UTC, 0–167. */
  readonly hourOfWeek: number;
  /** 0…1. */
  readonly likelihood: number;
}

/** The hours of the week (UTC) in which requests usually come. A week is counted from the epoch, whatever its first day. */
export class WeeklyUse {
  readonly #sinceMs: number;
  readonly #hours: Map<number, { weight: number; week: number }>;

  /** @param record as `record` told it; absent = nothing was ever seen, and the counting begins at `nowMs` */
  constructor(nowMs: number, record?: WeeklyUseRecord) {
    this.#sinceMs = record?.sinceMs ?? nowMs;
    this.#hours = new Map(Object.entries(record?.hours ?? {}).map(([hour, seen]) => [Number(hour), seen]));
  }

  get record(): WeeklyUseRecord {
    return { sinceMs: this.#sinceMs, hours: Object.fromEntries(this.#hours) };
  }

  /** A request came. @returns whether the record changed: once an hour at most */
  note(nowMs: number): boolean {
    const { hour, week } = slot(nowMs);
    const seen = this.#hours.get(hour);
    if (seen?.week === week) return false;
    this.#hours.set(hour, { weight: (seen ? seen.weight * DECAY ** (week - seen.week) : 0) + 1, week });
    return true;
  }

  /** In how many weeks this hour of the week was there to be seen before `atMs`. */
  weeksBefore(atMs: number): number {
    return Math.max(0, Math.floor((atMs - this.#sinceMs) / (WEEK_HOURS * HOUR_MS)));
  }

  /** Part of the weeks before, the latest counting most, in which a request came in this hour of the week: 0…1. */
  likelihood(atMs: number): number {
    const weeks = this.weeksBefore(atMs);
    const { hour, week } = slot(atMs);
    const seen = this.#hours.get(hour);
    if (weeks === 0 || seen === undefined) return 0;
    const weight = seen.week === week ? seen.weight - 1 : seen.weight * DECAY ** (week - seen.week);
    const possible = (DECAY * (1 - DECAY ** weeks)) / (1 - DECAY);
    return Math.min(1, weight / possible);
  }

  /** Those in which requests came at all. */
  usualHours(nowMs: number): UsualHour[] {
    // 1970 began on a Thursday; the coming week from Sunday on.
    const sundayMs = (Math.floor((nowMs / HOUR_MS + 96) / WEEK_HOURS) * WEEK_HOURS + WEEK_HOURS - 96) * HOUR_MS;
    return Array.from({ length: WEEK_HOURS }, (_, hourOfWeek) => ({
      hourOfWeek,
      likelihood: Math.round(this.likelihood(sundayMs + hourOfWeek * HOUR_MS) * 100) / 100,
    })).filter(({ likelihood }) => likelihood > 0);
  }
}

function slot(ms: number): { hour: number; week: number } {
  const hours = Math.floor(ms / HOUR_MS);
  return { hour: hours % WEEK_HOURS, week: Math.floor(hours / WEEK_HOURS) };
}
