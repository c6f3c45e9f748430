import { z } from 'zod';
import type { StatusWarning } from '../../container/contract/routes/server.ts';
import type { Journal } from '../../container/state/journal.ts';

const MISSED_KEY = 'bridge:missed';
/** Long enough for whoever looks once a day. */
const WARN_FOR_MS = 24 * 3_600_000;
/** What is tried again and again fails again and again: told so often. */
const TELL_AGAIN_MS = 10 * 60_000;

const recordSchema = z.array(
  z.object({ what: z.enum(['wake_up', 'cron']), dueMs: z.number(), noticedMs: z.number(), reason: z.string() }),
);
type Record = z.infer<typeof recordSchema>[number];
/** Something that was to come at `dueMs` and did not. */
export type Missed = Readonly<Omit<Record, 'noticedMs'>>;

export interface MissedOnesParts {
  readonly kv: Pick<SyncKvStorage, 'get' | 'put'>;
  readonly journal: Pick<Journal, 'write'>;
  readonly now: () => number;
}

/** Wake-ups and crons that did not come: told in the journal, and the last of each kept for those who ask. */
export class MissedOnes {
  readonly #parts: MissedOnesParts;
  #records: readonly Record[];

  constructor(parts: MissedOnesParts) {
    this.#parts = parts;
    this.#records = recordSchema.safeParse(parts.kv.get(MISSED_KEY)).data ?? [];
  }

  note(missed: Missed): void {
    const { kv, journal, now } = this.#parts;
    const isTold = (one: Record): boolean => one.reason === missed.reason && now() - one.noticedMs < TELL_AGAIN_MS;
    if (this.#records.some(isTold)) return;
    this.#records = [{ ...missed, noticedMs: now() }, ...this.#records.filter(({ what }) => what !== missed.what)];
    kv.put(MISSED_KEY, this.#records);
    journal.write({ event: 'missed', reason: missed.reason, instanceId: null, epoch: null, phasesMs: null });
  }

  get latest(): readonly Missed[] {
    return this.#records.map(({ what, dueMs, reason }) => ({ what, dueMs, reason }));
  }

  warnings(): StatusWarning[] {
    const recent = this.#records.filter(({ noticedMs }) => this.#parts.now() - noticedMs < WARN_FOR_MS);
    return recent.map(({ what, dueMs, reason }) => ({
      code: `${what}_missed`,
      since: new Date(dueMs).toISOString(),
      sinceMs: dueMs,
      reason,
    }));
  }
}
