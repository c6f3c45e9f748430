import { BridgeError } from '../contract/errors.ts';
import type { EventBatch, EventDraft, OutboxFull } from '../contract/events.ts';
import { newEvent } from './new-event.ts';
import { randomBytes } from './random.ts';
import type { Sql } from './sql.ts';
import { toHex } from '../contract/hex.ts';

export interface OutboxPolicy {
  /** Only the audit may stop writes: without one, `drop`. */
  readonly whenFull: OutboxFull;
  /** Events that wait at most: at some 700 bytes each, 70 MB. */
  readonly most: number;
}

export const OUTBOX_POLICY: OutboxPolicy = { whenFull: 'drop', most: 100_000 };

export interface EventOutboxParts {
  readonly sql: Sql;
  readonly now: () => number;
  readonly broker: string;
  readonly policy: OutboxPolicy;
}

/** Settings of the state. */
const SOURCE = 'outbox_source';
const DROPPED = 'outbox_dropped';
const FULL_RETRY_MS = 30_000;

/**
 * The events that were not handed on yet, in the database of what they tell: `tell` is called within the transaction that
 * changes it, so that there is neither a change without its event nor an event without its change.
 */
export class EventOutbox {
  readonly #parts: EventOutboxParts;
  /** Called after an event was told; its transaction may not have ended yet. */
  onTold: () => void = () => {};
  /** Counted once, then kept; too high by what was rolled back, until the next hand-over. */
  #waiting: number | undefined;
  #source: string | undefined;

  constructor(parts: EventOutboxParts) {
    this.#parts = parts;
  }

  /** Within the transaction of what it tells. */
  tell(draft: EventDraft): void {
    const { sql, now, broker, policy } = this.#parts;
    const event = newEvent(draft, broker, now());
    if (policy.whenFull === 'drop' && this.count >= policy.most) this.#dropOldest();
    sql.run('INSERT INTO outbox (event) VALUES (?)', JSON.stringify(event));
    this.#waiting = this.count + 1;
    this.onTold();
  }

  /** Events that wait. */
  get count(): number {
    this.#waiting ??= Number(this.#parts.sql.run('SELECT count(*) AS n FROM outbox')[0]?.['n']);
    return this.#waiting;
  }

  /** Before something is begun that will have to be told. @throws BridgeError `outbox_full` */
  requireRoom(): void {
    const { policy } = this.#parts;
    if (policy.whenFull === 'drop' || this.count < policy.most) return;
    throw new BridgeError('outbox_full', {
      detail: `${this.count} events wait to be kept by the audit, which is the most (OUTBOX_FULL=refuse).`,
      retryAfterMs: FULL_RETRY_MS,
    });
  }

  /** The oldest events that wait, at most so many and (but for one) so many characters. */
  waiting(limit: number, characters: number): EventBatch {
    const rows = this.#parts.sql.run('SELECT seq, event FROM outbox ORDER BY seq LIMIT ?', limit);
    const events: { seq: number; text: string }[] = [];
    let length = 0;
    for (const { seq, event } of rows) {
      const text = String(event);
      length += text.length;
      if (events.length > 0 && length > characters) break;
      events.push({ seq: Number(seq), text });
    }
    return { source: this.source, events };
  }

  /** Everything up to this is kept elsewhere. */
  taken(seq: number): void {
    const { sql } = this.#parts;
    sql.transaction(() => {
      sql.run('DELETE FROM outbox WHERE seq <= ?', seq);
      this.#waiting = undefined;
      const [dropped] = sql.run('DELETE FROM settings WHERE name = ? RETURNING value', DROPPED);
      if (dropped) this.tell({ type: 'container.events_dropped', data: { count: Number(dropped['value']) } });
    });
  }

  /** Of this memory. */
  get source(): string {
    const { sql } = this.#parts;
    if (this.#source !== undefined) return this.#source;
    sql.run(
      'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING',
      SOURCE,
      toHex(randomBytes(16)),
    );
    return (this.#source = String(sql.run('SELECT value FROM settings WHERE name = ?', SOURCE)[0]?.['value']));
  }

  #dropOldest(): void {
    const { sql } = this.#parts;
    sql.run('DELETE FROM outbox WHERE seq = (SELECT min(seq) FROM outbox)');
    sql.run(
      `INSERT INTO settings (name, value) VALUES (?, '1')
         ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1`,
      DROPPED,
    );
    this.#waiting = this.count - 1;
  }
}
