import { type BridgeEvent, type EventBatch, eventSchema } from '../contract/events.ts';
import type { Sql, SqlRow } from '../state/sql.ts';

/** An event as it stands in the log. */
export interface LoggedEvent {
  readonly seq: number;
  readonly event: BridgeEvent;
  /** The same as JSON. */
  readonly text: string;
}

/** The same, unread. */
export interface LoggedText extends Pick<LoggedEvent, 'seq' | 'text'> {
  /** When it happened, epoch ms. */
  readonly atMs: number;
}

export interface EventLogPolicy {
  /** Events are kept so long for those who want to be told again. */
  readonly keepMs: number;
  /** … and at most so many of them. Those that the audit has not stored yet are kept beyond both. */
  readonly most: number;
}

export const EVENT_LOG_POLICY: EventLogPolicy = { keepMs: 7 * 86_400_000, most: 100_000 };

/** Rows of one sweep. */
const SWEEP_ROWS = 5_000;

export interface EventLogParts {
  readonly sql: Sql;
  readonly now: () => number;
  readonly policy: EventLogPolicy;
  readonly warn: (message: string) => void;
}

/** Every event that was handed over, once, in the order in which it came. */
export class EventLog {
  readonly #parts: EventLogParts;

  constructor(parts: EventLogParts) {
    this.#parts = parts;
  }

  /**
   * Keeps what is new of a batch, within the caller's transaction: what came before under the same number of the same
   * source, or under the same id, is left out.
   */
  take({ source, events }: EventBatch): { readonly taken: number; readonly added: readonly LoggedEvent[] } {
    const { sql } = this.#parts;
    let taken = Number(sql.run('SELECT taken FROM event_sources WHERE source = ?', source)[0]?.['taken'] ?? 0);
    const added: LoggedEvent[] = [];
    for (const { seq, text } of events) {
      if (seq <= taken) continue;
      taken = seq;
      const event = this.#parse(text);
      const logged = event && this.add(event);
      if (logged) added.push(logged);
    }
    sql.run('INSERT OR REPLACE INTO event_sources (source, taken) VALUES (?, ?)', source, taken);
    return { taken, added };
  }

  /** @returns undefined where the event is there already */
  add(event: BridgeEvent): LoggedEvent | undefined {
    const text = JSON.stringify(event);
    const [row] = this.#parts.sql.run(
      'INSERT INTO event_log (id, at_ms, event) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING seq',
      event.id,
      event.timeMs,
      text,
    );
    return row && { seq: Number(row['seq']), event, text };
  }

  /** After this number, oldest first. */
  after(seq: number, limit: number): readonly LoggedEvent[] {
    return this.#parts.sql
      .run('SELECT seq, event FROM event_log WHERE seq > ? ORDER BY seq LIMIT ?', seq, limit)
      .map(toLogged);
  }

  /** The same, as they were written: whoever only copies them spares himself the reading. */
  textsAfter(seq: number, limit: number): readonly LoggedText[] {
    return this.#parts.sql
      .run('SELECT seq, at_ms, event FROM event_log WHERE seq > ? ORDER BY seq LIMIT ?', seq, limit)
      .map((row) => ({ seq: Number(row['seq']), atMs: Number(row['at_ms']), text: String(row['event']) }));
  }

  /** The newest first. */
  last(limit: number): readonly LoggedEvent[] {
    return this.#parts.sql.run('SELECT seq, event FROM event_log ORDER BY seq DESC LIMIT ?', limit).map(toLogged);
  }

  at(seq: number): LoggedEvent | undefined {
    return this.#parts.sql.run('SELECT seq, event FROM event_log WHERE seq = ?', seq).map(toLogged)[0];
  }

  find(id: string): LoggedEvent | undefined {
    return this.#parts.sql.run('SELECT seq, event FROM event_log WHERE id = ?', id).map(toLogged)[0];
  }

  /** How many stand after this number, and when the oldest of them happened. */
  backlogAfter(seq: number): { readonly pending: number; readonly oldestAtMs: number | null } {
    const { sql } = this.#parts;
    const [oldest] = sql.run('SELECT seq, at_ms FROM event_log WHERE seq > ? ORDER BY seq LIMIT 1', seq);
    if (!oldest) return { pending: 0, oldestAtMs: null };
    const [newest] = sql.run('SELECT max(seq) AS seq FROM event_log');
    // Events are let go from the oldest on: between two that are there, none is missing.
    return { pending: Number(newest?.['seq']) - Number(oldest['seq']) + 1, oldestAtMs: Number(oldest['at_ms']) };
  }

  /** Lets go of what is old, up to this number: a slice, so that nothing waits long for it. */
  sweep(upTo: number): void {
    const { sql, now, policy } = this.#parts;
    sql.run(
      `DELETE FROM event_log WHERE seq IN (
         SELECT seq FROM event_log
          WHERE seq <= ?1 AND (at_ms < ?2 OR seq <= (SELECT max(seq) FROM event_log) - ?3)
          ORDER BY seq LIMIT ${SWEEP_ROWS})`,
      upTo,
      now() - policy.keepMs,
      policy.most,
    );
  }

  /** What cannot be read is no event: it is left out, and said. */
  #parse(text: string): BridgeEvent | undefined {
    try {
      return eventSchema.parse(JSON.parse(text));
    } catch {
      this.#parts.warn('An event cannot be read: it was left out.');
      return undefined;
    }
  }
}

const toLogged = (row: SqlRow): LoggedEvent => ({
  seq: Number(row['seq']),
  event: JSON.parse(String(row['event'])) as BridgeEvent,
  text: String(row['event']),
});
