import { BridgeError } from '../contract/errors.ts';
import type { Sql, SqlValue } from './sql.ts';

/**
 * Where several replicas may write to one ledger, one after the other, the ledger itself says whose turn it is: it is
 * marked with the token of the lease (`cluster/lease.ts`) before anything else is written under it, and every write looks
 * at the mark within its own transaction. A replica that hung, and wakes after another has begun, writes nothing more,
 * whatever its clock says; and what is not in the ledger is not sent.
 */
export interface LedgerMark {
  /** Of the ledger, made with it; `null`: it was never marked. */
  readonly id: string | null;
  /** Of the last lease under which it was written to; 0 = none. */
  readonly token: number;
}

export function markOf(sql: Sql): LedgerMark {
  const hasTable = sql.run(`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'lease_mark'`).length > 0;
  const row = hasTable ? sql.run('SELECT ledger, token FROM lease_mark')[0] : undefined;
  return row ? { id: String(row['ledger']), token: Number(row['token']) } : { id: null, token: 0 };
}

/**
 * From here on nothing is written under an older token. @returns the ledger's id
 * @throws BridgeError `draining` where it has a newer one
 */
export function takeOver(sql: Sql, token: number): string {
  return sql.transaction(() => {
    const mark = markOf(sql);
    if (mark.token > token) throw fencedError(mark.token);
    const id = mark.id ?? crypto.randomUUID();
    sql.run('CREATE TABLE IF NOT EXISTS lease_mark (ledger TEXT NOT NULL, token INTEGER NOT NULL)');
    sql.run('DELETE FROM lease_mark');
    sql.run('INSERT INTO lease_mark (ledger, token) VALUES (?, ?)', id, token);
    return id;
  });
}

/** Writes under this token and no other. */
export class FencedSql implements Sql {
  readonly #sql: Sql;
  readonly #token: number;
  readonly #onFenced: () => void;
  #depth = 0;

  /** `onFenced`: a write met the token of another replica. */
  constructor(sql: Sql, token: number, onFenced: () => void) {
    this.#sql = sql;
    this.#token = token;
    this.#onFenced = onFenced;
  }

  /** A single write is a transaction of its own. */
  run(statement: string, ...parameters: SqlValue[]): ReturnType<Sql['run']> {
    const isWrite = !/^\s*(?:SELECT|PRAGMA)\b/i.test(statement);
    return isWrite && this.#depth === 0
      ? this.transaction(() => this.#sql.run(statement, ...parameters))
      : this.#sql.run(statement, ...parameters);
  }

  /** @throws BridgeError `draining` where another replica holds the ledger */
  transaction<T>(body: () => T): T {
    if (this.#depth > 0) return body();
    return this.#sql.transaction(() => {
      this.#requireOwn();
      this.#depth++;
      try {
        return body();
      } finally {
        this.#depth--;
      }
    });
  }

  #requireOwn(): void {
    const token = Number(this.#sql.run('SELECT token FROM lease_mark')[0]?.['token']);
    if (token === this.#token) return;
    this.#onFenced();
    throw fencedError(token);
  }
}

const fencedError = (token: number): BridgeError =>
  new BridgeError('draining', `Another replica holds the ledger, under token ${token}; this one ends.`);
