import type { EventOutbox } from './event-outbox.ts';
import type { Sql } from './sql.ts';
import type { JournalApi, JournalEntry } from './state-api.ts';

/** Newest entries that are kept: some months of an ordinary life, an afternoon of a crash loop. */
const KEEP = 2000;

/** Starts and stops with their reasons. */
export class Journal implements JournalApi {
  readonly #sql: Sql;
  readonly #now: () => number;
  readonly #outbox: EventOutbox;

  constructor(sql: Sql, now: () => number, outbox: EventOutbox) {
    this.#sql = sql;
    this.#now = now;
    this.#outbox = outbox;
  }

  async add(entry: Omit<JournalEntry, 'atMs'>): Promise<void> {
    this.write(entry);
  }

  /** The same at once. */
  write(entry: Omit<JournalEntry, 'atMs'>): void {
    this.#sql.transaction(() => this.#write(entry));
  }

  #write(entry: Omit<JournalEntry, 'atMs'>): void {
    const [written] = this.#sql.run(
      `INSERT INTO journal (at_ms, event, reason, instance_id, epoch, phases_ms) VALUES (?, ?, ?, ?, ?, ?) RETURNING id`,
      this.#now(),
      entry.event,
      entry.reason.slice(0, 1000),
      entry.instanceId,
      entry.epoch,
      entry.phasesMs === null ? null : phasesText(entry.phasesMs),
    );
    this.#sql.run('DELETE FROM journal WHERE id <= ?', Number(written?.['id']) - KEEP);
    const { event, ...data } = entry;
    // Sessions and keys tell of themselves.
    if (event !== 'session_ended' && event !== 'key') this.#outbox.tell({ type: `container.${event}`, data });
  }

  /** Adds phases to the entry of an instance's start that become known later. */
  addPhases(instanceId: string, phasesMs: Readonly<Record<string, number>>): void {
    const [row] = this.#sql.run(
      `SELECT id, phases_ms FROM journal WHERE instance_id = ? AND event = 'start' ORDER BY id DESC LIMIT 1`,
      instanceId,
    );
    if (!row) return;
    const merged = phasesText({ ...phases(row['phases_ms']), ...phasesMs });
    this.#sql.run('UPDATE journal SET phases_ms = ? WHERE id = ?', merged, Number(row['id']));
  }

  async list(limit: number): Promise<readonly JournalEntry[]> {
    return this.read(limit);
  }

  /** The same within a call of another. */
  read(limit: number): readonly JournalEntry[] {
    return this.#sql.run('SELECT * FROM journal ORDER BY id DESC LIMIT ?', limit).map((row): JournalEntry => ({
      atMs: Number(row['at_ms']),
      event: String(row['event']) as JournalEntry['event'],
      reason: String(row['reason']),
      instanceId: typeof row['instance_id'] === 'string' ? row['instance_id'] : null,
      epoch: typeof row['epoch'] === 'number' ? row['epoch'] : null,
      phasesMs: phases(row['phases_ms']),
    }));
  }
}

/** To a tenth of a millisecond: what is measured is no finer. */
function phasesText(phasesMs: Readonly<Record<string, number>> | null): string | null {
  if (phasesMs === null) return null;
  const rounded = Object.entries(phasesMs).map(([name, ms]) => [name, Math.round(ms * 10) / 10] as const);
  return JSON.stringify(Object.fromEntries(rounded));
}

function phases(text: unknown): Readonly<Record<string, number>> | null {
  if (typeof text !== 'string') return null;
  try {
    return JSON.parse(text) as Record<string, number>;
  } catch {
    return null;
  }
}
