import { z } from 'zod';
import { nextFiring } from './cron.ts';

/** One firing of the Worker's cron trigger: the line of `wrangler.jsonc`, and the moment that it was for. */
export interface CronFiring {
  readonly line: string;
  readonly atMs: number;
}

export const cronRecordSchema = z.record(z.string(), z.number());
/** By line, the moment of its last firing. */
export type CronRecord = Readonly<z.infer<typeof cronRecordSchema>>;

/** A firing may come late; after this it is taken for lost. */
export const CRON_LATE_MS = 5 * 60_000;

export interface CronWatchParts {
  readonly record: CronRecord;
  readonly write: (record: CronRecord) => void;
  readonly missed: (dueMs: number, reason: string) => void;
}

/** Tells when a cron line that fired before fires no more, or left a time out. What the lines are it learns from them. */
export class CronWatch {
  readonly #parts: CronWatchParts;
  #record: CronRecord;
  /** When each line fires next. */
  #dues: ReadonlyMap<string, number> = new Map();

  constructor(parts: CronWatchParts) {
    this.#parts = parts;
    this.#record = parts.record;
    this.#dues = duesOf(parts.record);
  }

  fired({ line, atMs }: CronFiring): void {
    if (nextFiring(line, atMs) === undefined) return;
    const due = this.#dues.get(line);
    if (due !== undefined && due < minuteOf(atMs))
      this.#parts.missed(due, `The cron "${line}" did not fire at ${new Date(due).toISOString()}.`);
    if (atMs > (this.#record[line] ?? -Infinity)) this.#write({ ...this.#record, [line]: atMs });
  }

  /** Each is told once; a line that was taken out of `wrangler.jsonc` cannot be told from one that is lost. */
  look(nowMs: number): void {
    for (const [line, due] of this.#dues) {
      if (nowMs <= due + CRON_LATE_MS) continue;
      const { [line]: _, ...others } = this.#record;
      this.#write(others);
      const at = new Date(due).toISOString();
      this.#parts.missed(
        due,
        `The cron "${line}" did not fire at ${at} and has not since; if it was taken out of wrangler.jsonc, all is well.`,
      );
    }
  }

  #write(record: CronRecord): void {
    this.#record = record;
    this.#dues = duesOf(record);
    this.#parts.write(record);
  }
}

const minuteOf = (ms: number): number => Math.floor(ms / 60_000) * 60_000;

const duesOf = (record: CronRecord): Map<string, number> =>
  new Map(
    Object.entries(record).flatMap(([line, atMs]) => {
      const due = nextFiring(line, atMs);
      return due === undefined ? [] : [[line, due] as const];
    }),
  );
