import type { Sql, SqlRow } from './sql.ts';

/** As many as are looked at, the newest first. */
const MOST_LEDGERS = 3;
/** What a row must have to be told; a ledger of another shape is not read. */
const COLUMNS =
  'caller, operation_key, kind, tag, state, login, created_at_ms, updated_at_ms, settled_at_ms, request, answer_status, answer_body, empty_looks, last_look_at_ms';

/** Operations in tables that were set aside: what they know is told until an administrator has looked. */
export class OldLedgers {
  readonly #sql: Sql;
  #tables: readonly string[] | undefined;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  find(caller: string, key: string): SqlRow | undefined {
    this.#tables ??= this.#readable();
    for (const table of this.#tables) {
      const [row] = this.#sql.run(
        `SELECT ${COLUMNS}, NULL AS fingerprint FROM ${table} WHERE caller = ? AND operation_key = ?`,
        caller,
        key,
      );
      if (row) return row;
    }
    return undefined;
  }

  #readable(): string[] {
    return this.#sql
      .run(`SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'aside_*_operations' ORDER BY name DESC`)
      .map(({ name }) => String(name))
      .filter((table) => /^aside_\d+_operations$/.test(table) && this.#isReadable(table))
      .slice(0, MOST_LEDGERS);
  }

  #isReadable(table: string): boolean {
    const columns = new Set(this.#sql.run(`PRAGMA table_info(${table})`).map(({ name }) => String(name)));
    return COLUMNS.split(', ').every((column) => columns.has(column));
  }
}
