import { asBridgeError, BridgeError } from '../contract/errors.ts';
import type { Actor } from '../contract/events.ts';
import type { ApiKey } from '../contract/key-records.ts';
import { SCOPES, type Scope } from '../contract/keys.ts';
import type { EventOutbox } from './event-outbox.ts';
import { PasswordAttempts } from './password-attempts.ts';
import { randomBytes } from './random.ts';
import type { Sql, SqlRow } from './sql.ts';
import type { ConsumerSession, ConsumerSessionsApi } from './state-api.ts';
import { toHex } from '../contract/hex.ts';

export interface ConsumerSessionPolicy {
  readonly absoluteMs: number;
  readonly idleMs: number;
  readonly perLogin: number;
  /** Wrong passwords in a row that cost no wait; each further one doubles it, from one second to the cap. */
  readonly freeAttempts: number;
  readonly attemptCapMs: number;
  /** Wrong passwords in a minute that one key may present, and all keys together. */
  readonly attemptsPerKey: number;
  readonly attemptsInAll: number;
  /** A row of failures so old is forgotten. */
  readonly attemptForgetMs: number;
}

/** A trading day without a new login; a browser left alone ends within the hour (OWASP session management). */
export const CONSUMER_SESSION_POLICY: ConsumerSessionPolicy = {
  absoluteMs: 12 * 3_600_000,
  idleMs: 3_600_000,
  perLogin: 10,
  freeAttempts: 5,
  // Short: whoever guesses must not lock the owner out. The limit of the key bounds the guessing.
  attemptCapMs: 30_000,
  attemptsPerKey: 60,
  attemptsInAll: 300,
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
  readonly outbox: EventOutbox;
  /** The key that opened a session; `undefined` = it opens nothing any more, and neither does the session. */
  readonly keyOf: (id: string) => ApiKey | undefined;
  /** Told of each session that ends before its time, so that its streams are closed. */
  readonly onRevoked: (sessionId: string) => void;
}

/** Traders' own sessions: the hash of the token, never the token; the login, never the password. */
export class ConsumerSessions implements ConsumerSessionsApi {
  readonly #parts: ConsumerSessionsParts;
  readonly #attempts: PasswordAttempts;

  constructor(parts: ConsumerSessionsParts) {
    this.#parts = parts;
    this.#attempts = new PasswordAttempts(parts);
  }

  async attempt(login: number, keyId: string): Promise<{ retryAfterMs: number }> {
    return this.#attempts.book(login, keyId);
  }

  async attemptForgiven(login: number, keyId: string, isMainPassword: boolean): Promise<void> {
    this.#attempts.forgive(login, keyId, isMainPassword);
  }

  async open(session: {
    tokenHash: string;
    login: number;
    scopes: readonly Scope[];
    openedBy: string;
    passwordChangedAt: string;
    by?: Actor | undefined;
  }): Promise<ConsumerSession> {
    const { sql, now, policy, outbox } = this.#parts;
    const nowMs = now();
    this.#sweep(nowMs);
    return sql.transaction(() => {
      const held = sql.run('SELECT count(*) AS n FROM consumer_sessions WHERE login = ?', session.login)[0];
      if (Number(held?.['n']) >= policy.perLogin)
        throw new BridgeError(
          'session_limit',
          `Login ${session.login} has ${policy.perLogin} sessions already; end one with DELETE /v1/sessions/current.`,
        );
      const id = toHex(randomBytes(8));
      sql.run(
        `INSERT INTO consumer_sessions (id, token_hash, login, scopes, opened_by, limits, created_at_ms,
           last_seen_at_ms, password_changed_at, checked_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        id,
        session.tokenHash,
        session.login,
        session.scopes.join(' '),
        session.openedBy,
        'null',
        nowMs,
        nowMs,
        session.passwordChangedAt,
        nowMs,
      );
      const { login, scopes, openedBy, by } = session;
      outbox.tell({ type: 'session.opened', by: by ?? { caller: openedBy }, login, data: { id, scopes, openedBy } });
      return this.#toSession(this.#require(id));
    });
  }

  async find(tokenHash: string): Promise<ConsumerSession | null> {
    const { sql, now } = this.#parts;
    const row = sql.run('SELECT * FROM consumer_sessions WHERE token_hash = ?', tokenHash)[0];
    if (!row) return null;
    const nowMs = now();
    const session = this.#toSession(row);
    if (session.expiresAtMs <= nowMs || !this.#parts.keyOf(session.openedBy)) {
      this.#sweep(nowMs);
      return null;
    }
    if (nowMs - session.lastSeenAtMs < SEEN_EVERY_MS) return session;
    try {
      sql.run('UPDATE consumer_sessions SET last_seen_at_ms = ? WHERE id = ?', nowMs, session.id);
    } catch (error) {
      // A memory that cannot be written to keeps nobody out: noted with the next request.
      if (asBridgeError(error).code !== 'state_unavailable') throw error;
    }
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

  async revoke(id: string, reason: string, by?: Actor): Promise<boolean> {
    return this.#revokeWhere('id', id, reason, by) > 0;
  }

  async revokeLogin(login: number, reason: string, by?: Actor): Promise<number> {
    return this.#revokeWhere('login', login, reason, by);
  }

  /** Every session that a key opened. */
  revokeKey(keyId: string, reason: string): number {
    return this.#revokeWhere('opened_by', keyId, reason);
  }

  #revokeWhere(column: 'id' | 'login' | 'opened_by', value: number | string, reason: string, by?: Actor): number {
    const { sql, journal, outbox, onRevoked } = this.#parts;
    const ended = sql.transaction(() => {
      const gone = sql.run(`DELETE FROM consumer_sessions WHERE ${column} = ? RETURNING id, login`, value);
      for (const { id, login } of gone) {
        journal(`A session of ${String(login)} ended: ${reason}.`);
        outbox.tell({ type: 'session.ended', by, login: Number(login), data: { id, reason } });
      }
      return gone;
    });
    for (const { id } of ended) onRevoked(String(id));
    return ended.length;
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
    const { sql, policy, outbox, onRevoked } = this.#parts;
    const ended = sql.transaction(() => {
      const gone = sql.run(
        'DELETE FROM consumer_sessions WHERE created_at_ms <= ? OR last_seen_at_ms <= ? RETURNING id, login',
        nowMs - policy.absoluteMs,
        nowMs - policy.idleMs,
      );
      for (const { id, login } of gone)
        outbox.tell({ type: 'session.ended', login: Number(login), data: { id, reason: 'it expired' } });
      return gone;
    });
    for (const { id } of ended) onRevoked(String(id));
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
    const openedBy = String(row['opened_by']);
    const caller = this.#parts.keyOf(openedBy)?.caller;
    return {
      id: String(row['id']),
      login: Number(row['login']),
      scopes: SCOPES.filter((scope) => scopes.includes(scope)),
      openedBy,
      createdAtMs,
      expiresAtMs: Math.min(
        createdAtMs + policy.absoluteMs,
        lastSeenAtMs + policy.idleMs,
        caller?.expiresAtMs ?? Number.MAX_SAFE_INTEGER,
      ),
      lastSeenAtMs,
      passwordChangedAt: String(row['password_changed_at']),
      checkedAtMs: Number(row['checked_at_ms']),
      limits: caller?.limits ?? null,
    };
  }
}
