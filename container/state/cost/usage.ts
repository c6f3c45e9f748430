import { z } from 'zod';
import { SETTING_NAMES, type StoredSettings } from '../stored-settings.ts';

/** What Cloudflare bills by number and the journal does not tell. */
export const COUNTED = [
  'workerRequests',
  /** Calls of Durable Objects: requests, RPC, alarms. */
  'objectRequests',
  /** WebSocket messages that came in to a Durable Object. */
  'messages',
  'rowsRead',
  'rowsWritten',
  /** Time in which the hub is in memory with clients' streams. */
  'hubSeconds',
] as const;
export type Counts = Readonly<Partial<Record<(typeof COUNTED)[number], number>>>;
export type MonthCounts = Readonly<Record<(typeof COUNTED)[number], number>>;

/** Counts are written down so often, at the first one after that time: each writing is a row itself. */
const WRITE_AFTER_MS = 60_000;

const recordSchema = z.object({ month: z.string(), counts: z.partialRecord(z.enum(COUNTED), z.number()) });

/** Counts of the month (UTC), kept over restarts but for the last minute. */
export class Usage {
  readonly #settings: StoredSettings;
  readonly #now: () => number;
  #pending: Counts = {};
  #writtenAtMs = -Infinity;

  constructor(settings: StoredSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
  }

  /** @returns whether everything so far was written down now. @throws BridgeError `state_unavailable`: it is later */
  add(counts: Counts): boolean {
    this.#pending = sum(this.#pending, counts);
    const nowMs = this.#now();
    if (Math.abs(nowMs - this.#writtenAtMs) < WRITE_AFTER_MS) return false;
    this.#writtenAtMs = nowMs;
    this.#settings.write(SETTING_NAMES.usage, { month: this.#month, counts: this.thisMonth() });
    this.#pending = {};
    return true;
  }

  thisMonth(): MonthCounts {
    const record = this.#settings.read(SETTING_NAMES.usage, recordSchema);
    return sum(record?.month === this.#month ? record.counts : {}, this.#pending);
  }

  get #month(): string {
    return new Date(this.#now()).toISOString().slice(0, 7);
  }
}

const sum = (a: Counts, b: Counts): MonthCounts =>
  Object.fromEntries(COUNTED.map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)])) as MonthCounts;
