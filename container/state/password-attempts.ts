import type { ConsumerSessionPolicy } from './consumer-sessions.ts';
import type { Sql } from './sql.ts';

const MINUTE_MS = 60_000;
/** Logins that are guessed at, the oldest are forgotten first: a guesser names logins at will. */
const MOST_SUBJECTS = 10_000;

export interface PasswordAttemptsParts {
  readonly sql: Sql;
  readonly now: () => number;
  readonly policy: ConsumerSessionPolicy;
}

/**
 * Wrong passwords, counted by login (each further one waits twice as long), by the key that presents them, and in all (so
 * many a minute). Each try is booked as wrong before it is made, so that tries made side by side are all counted.
 */
export class PasswordAttempts {
  readonly #parts: PasswordAttemptsParts;

  constructor(parts: PasswordAttemptsParts) {
    this.#parts = parts;
  }

  book(login: number, keyId: string): { retryAfterMs: number } {
    const { sql, now, policy } = this.#parts;
    return sql.transaction(() => {
      const nowMs = now();
      this.#forget(nowMs);
      const { failures, atMs } = this.#row(String(login));
      const beyond = failures - policy.freeAttempts;
      const waitMs = beyond < 0 ? 0 : Math.min(policy.attemptCapMs, 1000 * 2 ** Math.min(beyond, 20));
      const retryAfterMs = Math.max(
        waitMs > 0 ? atMs + waitMs - nowMs : 0,
        this.#minuteOpensInMs(keySubject(keyId), policy.attemptsPerKey, nowMs),
        this.#minuteOpensInMs(ALL, policy.attemptsInAll, nowMs),
      );
      if (retryAfterMs > 0) return { retryAfterMs };
      this.#write(String(login), failures + 1, nowMs);
      for (const subject of [keySubject(keyId), ALL]) {
        const row = this.#row(subject);
        const isOver = nowMs - row.atMs >= MINUTE_MS;
        this.#write(subject, isOver ? 1 : row.failures + 1, isOver ? nowMs : row.atMs);
      }
      return { retryAfterMs: 0 };
    });
  }

  forgive(login: number, keyId: string, isMainPassword: boolean): void {
    const { sql } = this.#parts;
    sql.transaction(() => {
      for (const subject of [String(login), keySubject(keyId), ALL])
        sql.run('UPDATE password_attempts SET failures = failures - 1 WHERE subject = ? AND failures > 0', subject);
      if (isMainPassword) sql.run('DELETE FROM password_attempts WHERE subject = ?', String(login));
    });
  }

  /** Windows of a minute: when the next one begins, where this one is full. */
  #minuteOpensInMs(subject: string, most: number, nowMs: number): number {
    const { failures, atMs } = this.#row(subject);
    return failures >= most && nowMs - atMs < MINUTE_MS ? atMs + MINUTE_MS - nowMs : 0;
  }

  #row(subject: string): { failures: number; atMs: number } {
    const row = this.#parts.sql.run('SELECT failures, at_ms FROM password_attempts WHERE subject = ?', subject)[0];
    return { failures: Number(row?.['failures'] ?? 0), atMs: Number(row?.['at_ms'] ?? 0) };
  }

  #write(subject: string, failures: number, atMs: number): void {
    this.#parts.sql.run(
      'INSERT OR REPLACE INTO password_attempts (subject, failures, at_ms) VALUES (?, ?, ?)',
      subject,
      failures,
      atMs,
    );
  }

  #forget(nowMs: number): void {
    const { sql, policy } = this.#parts;
    sql.run('DELETE FROM password_attempts WHERE at_ms <= ?', nowMs - policy.attemptForgetMs);
    const held = sql.run('SELECT count(*) AS n FROM password_attempts')[0];
    if (Number(held?.['n']) < MOST_SUBJECTS) return;
    sql.run(
      'DELETE FROM password_attempts WHERE subject IN (SELECT subject FROM password_attempts ORDER BY at_ms LIMIT 100)',
    );
  }
}

/** No login begins so. */
const keySubject = (keyId: string): string => `key:${keyId}`;
const ALL = 'all';
