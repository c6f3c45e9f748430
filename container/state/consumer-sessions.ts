import { BridgeError } from '../contract/errors.ts';
import { SCOPES, type KeyLimits, type Scope } from '../contract/keys.ts';
import { randomBytes, toHex } from './random.ts';
import type { Sql, SqlRow } from './sql.ts';
import type { ConsumerSession, ConsumerSessionsApi } from './state-api.ts';

export interface ConsumerSessionPolicy {
  readonly absoluteMs: number;
  readonly idleMs: number;
  readonly perLogin: number;
  /** Wrong passwords in a row that cost no wait; each further one doubles it, from one second to the cap. */
  readonly freeAttempts: number;
  readonly attemptCapMs: number;
  /** A row of failures so old is forgotten. */
  readonly attemptForgetMs: number;
}

/** A trading day without a new login; a browser left alone ends within the hour (OWASP session management). */
export const CONSUMER_SESSION_POLICY: ConsumerSessionPolicy = {
  absoluteMs: 12 * 3_600_000,
  idleMs: 3_600_000,
  perLogin: 10,
  freeAttempts: 5,
  attemptCapMs: 15 * 60_000,
  attemptForgetMs: 24 * 3_600_000,
};

/** `last_seen_at_ms` is written at most so often: a read per request, a write per minute. */
const SEEN_EVERY_MS = 60_000;

export interface ConsumerSessionsParts {
  readonly sql: Sql;
  readonly now: () => number;
  readonly policy: ConsumerSessionPolicy;
  /** Keeps why a session ended before its time. */
  readonly journal: (reason: string) => void;
  /** Told of each session that ends before its time, so that its streams are closed. */
  readonly onRevoked: (sessionId: string) => void;
}

/** Traders' own sessions: the hash of the token, never the token; the login, never the password. */
export class ConsumerSessions implements ConsumerSessionsApi {
  readonly #parts: ConsumerSessionsParts;

  constructor(parts: ConsumerSessionsParts) {
    this.#parts = parts;
  }

  async attempt(login: number): Promise<{ retryAfterMs: number }> {
    const { sql, now, policy } = this.#parts;
    return sql.transaction(() => {
      const nowMs = now();
      sql.run('DELETE FROM password_attempts WHERE at_ms <= ?', nowMs - policy.attemptForgetMs);
      const row = sql.run('SELECT failures, at_ms FROM password_attempts WHERE subject = ?', String(login))[0];
      const failures = Number(row?.['failures'] ?? 0);
      const beyond = failures - policy.freeAttempts;
      const waitMs = beyond < 0 ? 0 : Math.min(policy.attemptCapMs, 1000 * 2 ** Math.min(beyond, 20));
      const retryAfterMs = Math.max(0, Number(row?.['at_ms'] ?? 0) + waitMs - nowMs);
      if (waitMs > 0 && retryAfterMs > 0) return { retryAfterMs };
      sql.run(
        'INSERT OR REPLACE INTO password_attempts (subject, failures, at_ms) VALUES (?, ?, ?)',
        String(login),
        failures + 1,
        nowMs,
      );
      return { retryAfterMs: 0 };
    });
  }

  async attemptForgiven(login: number): Promise<void> {
    this.#parts.sql.run(
      'UPDATE password_attempts SET failures = failures - 1 WHERE subject = ? AND failures > 0',
      String(login),
    );
  }

  async open(session: {
    tokenHash: string;
    login: number;
    scopes: readonly Scope[];
    openedBy: string;
    limits: KeyLimits | null;
    passwordChangedAt: string;
  }): Promise<ConsumerSession> {
    const { sql, now, policy } = this.#parts;
    return sql.transaction(() => {
      const nowMs = now();
      this.#sweep(nowMs);
      const held = sql.run('SELECT count(*) AS n FROM consumer_sessions WHERE login = ?', session.login)[0];
      if (Number(held?.['n']) >= policy.perLogin)
        throw new BridgeError(
          'session_limit',
          `Login ${session.login} has ${policy.perLogin} sessions already; end one with DELETE /v1/sessions/current.`,
        );
      sql.run('DELETE FROM password_attempts WHERE subject = ?', String(session.login));
      const id = toHex(randomBytes(8));
      sql.run(
        `INSERT INTO consumer_sessions (id, token_hash, login, scopes, opened_by, limits, created_at_ms,
           last_seen_at_ms, password_changed_at, checked_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        id,
        session.tokenHash,
        session.login,
        session.scopes.join(' '),
        session.openedBy,
        JSON.stringify(session.limits),
        nowMs,
        nowMs,
        session.passwordChangedAt,
        nowMs,
      );
      return this.#toSession(this.#require(id));
    });
  }

  async find(tokenHash: string): Promise<ConsumerSession | null> {
    const { sql, now } = this.#parts;
    const row = sql.run('SELECT * FROM consumer_sessions WHERE token_hash = ?', tokenHash)[0];
    if (!row) return null;
    const nowMs = now();
    const session = this.#toSession(row);
    if (session.expiresAtMs <= nowMs) {
      this.#sweep(nowMs);
      return null;
    }
    if (nowMs - session.lastSeenAtMs < SEEN_EVERY_MS) return session;
    sql.run('UPDATE consumer_sessions SET last_seen_at_ms = ? WHERE id = ?', nowMs, session.id);
    return this.#toSession(this.#require(session.id));
  }

  async dueForCheck(beforeMs: number): Promise<readonly ConsumerSession[]> {
    const { sql, now } = this.#parts;
    this.#sweep(now());
    return sql
      .run('SELECT * FROM consumer_sessions WHERE checked_at_ms < ? ORDER BY checked_at_ms LIMIT 500', beforeMs)
      .map((row) => this.#toSession(row));
  }

  async checked(id: string): Promise<void> {
    this.#parts.sql.run('UPDATE consumer_sessions SET checked_at_ms = ? WHERE id = ?', this.#parts.now(), id);
  }

  async revoke(id: string, reason: string): Promise<boolean> {
    const { sql, journal, onRevoked } = this.#parts;
    const [gone] = sql.run('DELETE FROM consumer_sessions WHERE id = ? RETURNING login', id);
    if (!gone) return false;
    journal(`A session of ${String(gone['login'])} ended: ${reason}.`);
    onRevoked(id);
    return true;
  }

  async list(filter: { login?: number }): Promise<readonly ConsumerSession[]> {
    const { sql, now } = this.#parts;
    this.#sweep(now());
    return sql
      .run(
        'SELECT * FROM consumer_sessions WHERE (?1 IS NULL OR login = ?1) ORDER BY created_at_ms DESC LIMIT 1000',
        filter.login ?? null,
      )
      .map((row) => this.#toSession(row));
  }

  #sweep(nowMs: number): void {
    const { sql, policy } = this.#parts;
    const gone = sql.run(
      'DELETE FROM consumer_sessions WHERE created_at_ms <= ? OR last_seen_at_ms <= ? RETURNING id',
      nowMs - policy.absoluteMs,
      nowMs - policy.idleMs,
    );
    for (const row of gone) this.#parts.onRevoked(String(row['id']));
  }

  #require(id: string): SqlRow {
    const row = this.#parts.sql.run('SELECT * FROM consumer_sessions WHERE id = ?', id)[0];
    if (!row) throw new Error('the session that was just written is not there');
    return row;
  }

  #toSession(row: SqlRow): ConsumerSession {
    const { policy } = this.#parts;
    const createdAtMs = Number(row['created_at_ms']);
    const lastSeenAtMs = Number(row['last_seen_at_ms']);
    const scopes = String(row['scopes']).split(' ');
    return {
      id: String(row['id']),
      login: Number(row['login']),
      scopes: SCOPES.filter((scope) => scopes.includes(scope)),
      openedBy: String(row['opened_by']),
      createdAtMs,
      expiresAtMs: Math.min(createdAtMs + policy.absoluteMs, lastSeenAtMs + policy.idleMs),
      lastSeenAtMs,
      passwordChangedAt: String(row['password_changed_at']),
      checkedAtMs: Number(row['checked_at_ms']),
      limits: JSON.parse(String(row['limits'])) as KeyLimits | null,
    };
  }
}
