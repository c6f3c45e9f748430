import type { Sql } from '../../state/sql.ts';

/** One try to hand an event to a receiver. */
export interface Attempt {
  readonly eventId: string;
  readonly type: string;
  readonly login: number | null;
  readonly atMs: number;
  readonly attempt: number;
  /** null = no answer came. */
  readonly status: number | null;
  readonly error: string | null;
  readonly durationMs: number;
}

export const isTaken = ({ status }: Attempt): boolean => status !== null && status >= 200 && status < 300;

/** Attempts of one receiver that are remembered. */
const KEEP = 200;

/** The last attempts of each receiver, for `GET /v1/webhooks/{id}/deliveries`. */
export class Attempts {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  add(webhook: string, attempt: Attempt): void {
    const [written] = this.#sql.run(
      `INSERT INTO webhook_attempts (webhook, event_id, type, login, at_ms, attempt, status, error, duration_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
      webhook,
      attempt.eventId,
      attempt.type,
      attempt.login,
      attempt.atMs,
      attempt.attempt,
      attempt.status,
      attempt.error,
      attempt.durationMs,
    );
    if (Number(written?.['id']) % 50 !== 0) return;
    this.#sql.run(
      `DELETE FROM webhook_attempts WHERE webhook = ?1 AND id NOT IN (
         SELECT id FROM webhook_attempts WHERE webhook = ?1 ORDER BY id DESC LIMIT ${KEEP})`,
      webhook,
    );
  }

  /** The newest first. */
  of(webhook: string, limit: number): readonly Attempt[] {
    return this.#sql
      .run('SELECT * FROM webhook_attempts WHERE webhook = ? ORDER BY id DESC LIMIT ?', webhook, limit)
      .map((row) => ({
        eventId: String(row['event_id']),
        type: String(row['type']),
        login: typeof row['login'] === 'number' ? row['login'] : null,
        atMs: Number(row['at_ms']),
        attempt: Number(row['attempt']),
        status: typeof row['status'] === 'number' ? row['status'] : null,
        error: typeof row['error'] === 'string' ? row['error'] : null,
        durationMs: Number(row['duration_ms']),
      }));
  }
}
