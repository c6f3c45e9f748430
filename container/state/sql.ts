/**
 * The small SQL interface that state/ is written over. Adapters: the Durable Object's `ctx.storage.sql` (worker/) and
 * `node:sqlite` (container/, on a VPS). Both are SQLite, synchronous, and durable before an answer leaves.
 */
export type SqlValue = string | number | null;
export type SqlRow = Record<string, SqlValue>;

export interface Sql {
  /** Runs one statement; returns its rows, empty for writes. */
  run(statement: string, ...parameters: SqlValue[]): SqlRow[];
  /** All or nothing. Not nested. */
  transaction<T>(body: () => T): T;
}
